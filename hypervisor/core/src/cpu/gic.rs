//! The interrupt controller as one core sees it: the physical CPU interface, SGIs between cores, and the control of the
//! virtual CPU interface that the guest uses; a trait for each.
//!
//! What is asked of it is the same for GICv2 ([`V2`](super::gic_v2::V2)) and GICv3 ([`V3`](super::gic_v3::V3)); the code above
//! takes it as a type. Trap handlers are compiled once for each, and the vectors know which of them a vCPU has
//! ([`Context`](portcullis_arch::context::Context)), so that no trap asks. Everything less frequent asks [`version`], by
//! [`with_interface`](crate::with_interface).

use portcullis_abi::state::{self, Unfit};
use portcullis_arch::{gicv2, gicv3};
use portcullis_vgic::{GicVersion, ListRegisters};

/// The first INTID that stands for "nothing pending".
pub const SPECIAL: u32 = 1020;

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

impl VirtualInterface {
    /// Returns what is saved of it.
    pub fn save_state(&self) -> state::GicCpuInterface {
        match version() {
            GicVersion::V2 => self.v2.save_state(),
            GicVersion::V3 => self.v3.save_state(),
        }
    }

    /// The one that was saved, for a vCPU of a core like this one.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub fn restored(saved: &state::GicCpuInterface) -> Result<Self, Unfit> {
        let mut interface = Self::default();
        match version() {
            GicVersion::V2 => interface.v2 = gicv2::VirtualInterface::restored(saved)?,
            GicVersion::V3 => interface.v3 = gicv3::VirtualInterface::restored(saved)?,
        }
        Ok(interface)
    }
}

/// The physical CPU interface of the core on which the code runs.
pub trait CpuInterface: 'static {
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
}

/// SGIs from the core on which the code runs to others.
pub trait Signals: 'static {
    /// What [`send`](Self::send) takes to send SGI `intid` to the core with this number on the board and this affinity.
    fn signal(intid: u32, index: usize, affinity: u64) -> u64;
    /// Sends an SGI. What this core wrote before is seen by the one that takes it.
    fn send(signal: u64);
}

/// The virtual CPU interface of the core on which the code runs, and its control; as a value, its list registers.
pub trait VirtualControl: ListRegisters + 'static {
    /// The list registers.
    fn here() -> Self;
    /// Puts the virtual CPU interface into its reset state: on, nothing pending, nothing active, the guest's enables off.
    fn reset_virtual_interface();
    /// Turns the virtual CPU interface off.
    fn stop_virtual_interface();
    /// Returns the guest's priority mask: what is less urgent or equal it does not take.
    fn priority_mask() -> u8;
    /// Takes over what the virtual CPU interface has besides list registers.
    fn save_virtual_interface(saved: &mut VirtualInterface);
    /// Gives the virtual CPU interface what was saved of it.
    fn load_virtual_interface(saved: &VirtualInterface);
}

/// All of it, of one architecture.
pub trait Interface: CpuInterface + Signals + VirtualControl {
    /// Whose interface it is.
    const VERSION: GicVersion;
}

/// Makes an interface of the functions of a module of `portcullis_arch`, which have one name in both modules, of the field that the
/// virtual CPU interface is saved in, and of what is not alike.
macro_rules! interface {
    ($type:ident of $arch:ident, saved in $saved:ident, intid: $intid:expr, signal: $signal:expr) => {
        impl $crate::cpu::gic::Interface for $type {
            const VERSION: GicVersion = GicVersion::$type;
        }

        impl $crate::cpu::gic::CpuInterface for $type {
            #[inline(always)]
            fn acknowledge() -> u32 {
                $arch::acknowledge()
            }

            #[inline(always)]
            fn intid(acknowledged: u32) -> u32 {
                $intid(acknowledged)
            }

            #[inline(always)]
            fn see_what_was_sent() {
                $arch::see_what_was_sent();
            }

            #[inline(always)]
            fn drop_priority(acknowledged: u32) {
                $arch::drop_priority(acknowledged);
            }

            #[inline(always)]
            fn finish(acknowledged: u32) {
                $arch::deactivate(acknowledged);
            }
        }

        impl $crate::cpu::gic::Signals for $type {
            fn signal(intid: u32, index: usize, affinity: u64) -> u64 {
                $signal(intid, index, affinity)
            }

            #[inline(always)]
            fn send(signal: u64) {
                $arch::send_sgi(signal);
            }
        }

        impl $crate::cpu::gic::VirtualControl for $type {
            #[inline(always)]
            fn here() -> Self {
                Self
            }

            fn reset_virtual_interface() {
                $arch::reset_virtual_interface();
            }

            fn stop_virtual_interface() {
                $arch::set_virtual_control(0);
            }

            fn priority_mask() -> u8 {
                $arch::priority_mask()
            }

            fn save_virtual_interface(saved: &mut $crate::cpu::gic::VirtualInterface) {
                saved.$saved.save();
            }

            fn load_virtual_interface(saved: &$crate::cpu::gic::VirtualInterface) {
                saved.$saved.load();
            }
        }
    };
}
pub(super) use interface;
