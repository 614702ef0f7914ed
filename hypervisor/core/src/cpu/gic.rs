//! The interrupt controller as one core sees it: the physical CPU interface, SGIs between cores, and the control of the
//! virtual CPU interface that the guest uses.
//!
//! What is asked of it is the same for GICv2 ([`V2`](super::gic_v2::V2)) and GICv3 ([`V3`](super::gic_v3::V3)); the code above takes it as a type. Trap handlers
//! are compiled once for each, and the vectors know which of them a vCPU has
//! ([`Context`](portcullis_arch::context::Context)), so that no trap asks. Everything less frequent asks [`version`], by
//! [`with_interface`](crate::with_interface).

use portcullis_arch::{gicv2, gicv3};
use portcullis_vgic::{GicVersion, ListRegisters};

/// The interrupt controller of this machine. Until a GICv2 is found it counts as a GICv3.
#[inline]
pub fn version() -> GicVersion {
    if gicv2::is_present() { GicVersion::V2 } else { GicVersion::V3 }
}

/// The virtual CPU interface of a vCPU that is not on its core, but for the list registers. One of the two is in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct VirtualInterface {
    pub(super) v2: gicv2::VirtualInterface,
    pub(super) v3: gicv3::VirtualInterface,
}

/// The interface of the core on which the code runs; as a value, its list registers.
pub trait Interface: ListRegisters + 'static {
    /// Whose interface it is.
    const VERSION: GicVersion;

    /// The list registers.
    fn here() -> Self;
    /// Acknowledges the pending interrupt of highest priority. The result names it to [`drop_priority`](Self::drop_priority)
    /// and [`finish`](Self::finish).
    fn acknowledge() -> u32;
    /// INTID of what was acknowledged; from 1020 up, nothing was pending. For PPIs and SPIs both are the same.
    fn intid(acknowledged: u32) -> u32;
    /// Orders an acknowledged SGI before later loads: these see what its sender wrote before it sent it.
    fn see_what_was_sent();
    /// Drops the running priority; the interrupt stays active.
    fn drop_priority(acknowledged: u32);
    /// Deactivates the interrupt.
    fn finish(acknowledged: u32);
    /// What [`send`](Self::send) takes to send SGI `intid` to the core with this number on the board and this affinity.
    fn signal(intid: u32, index: usize, affinity: u64) -> u64;
    /// Sends an SGI. What this core wrote before is seen by the one that takes it.
    fn send(signal: u64);
    /// Puts the virtual CPU interface into its reset state: on, nothing pending, nothing active, the guest's enables off.
    fn reset_virtual_interface();
    /// Turns the virtual CPU interface off.
    fn stop_virtual_interface();
    /// Takes over what the virtual CPU interface has besides list registers.
    fn save_virtual_interface(saved: &mut VirtualInterface);
    /// Gives the virtual CPU interface what was saved of it.
    fn load_virtual_interface(saved: &VirtualInterface);
}
