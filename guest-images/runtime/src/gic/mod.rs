//! The interrupt controller that the device tree names: a GICv3 (Arm IHI 0069) with its redistributors and system registers,
//! or a GICv2 (IHI 0048). What both have is used in one way.

mod distributor;
pub mod v2;
mod v3;

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

use portcullis_abi::map::MAX_VCPUS;

pub(crate) use self::distributor::choose;
use self::distributor::is_v2;
pub use self::distributor::{
    PRIORITY_DEFAULT, clear_pending, disable, enable, frame, is_set, priority, redistributor, register, routed_to,
    set_edge, set_group_0, set_pending, set_priority, version, word,
};
use crate::cpu;

/// First INTID that is no interrupt (IHI 0069 section 2.2.1).
const SPECIAL: u32 = 1020;
/// The sender of the SGI that a vCPU has acknowledged last.
static SENDERS: [AtomicU32; MAX_VCPUS] = [const { AtomicU32::new(0) }; MAX_VCPUS];

/// Turns the distributor on.
pub fn init_distributor() {
    if is_v2() { v2::init_distributor() } else { v3::init_distributor() }
}

/// Makes this vCPU's SGIs and PPIs disabled, as far as that is possible, and opens its CPU interface. A GICv3's are put in
/// group 1, a GICv2's stay in group 0.
pub fn init_cpu() {
    if is_v2() { v2::init_cpu() } else { v3::init_cpu() }
}

/// An interrupt that was acknowledged.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    /// Its INTID.
    pub intid: u32,
    /// What ends it.
    token: u32,
}

/// Takes the highest pending interrupt.
pub fn acknowledge() -> Option<Acknowledged> {
    let token = if is_v2() { v2::acknowledge() } else { v3::acknowledge() };
    let intid = if is_v2() { token & 0x3ff } else { token };
    if intid < 16 {
        SENDERS[cpu::index()].store(token >> 10, Relaxed);
    }
    (intid < SPECIAL).then_some(Acknowledged { intid, token })
}

/// Ends an interrupt taken by [`acknowledge`].
pub fn end(interrupt: Acknowledged) {
    if is_v2() { v2::end(interrupt.token) } else { v3::end(interrupt.token) }
}

/// The vCPU that has sent the SGI that this vCPU handles; 0 with a GICv3, which does not tell.
pub fn sender() -> u32 {
    SENDERS[cpu::index()].load(Relaxed)
}

/// Sends an SPI to vCPU `index`.
pub fn route(intid: u32, index: usize) {
    if is_v2() { v2::set_targets(intid, 1 << index) } else { v3::set_route(intid, index) }
}

/// Sends an SGI to the vCPUs in `targets`, a bit each.
pub fn send(sgi: u32, targets: u16) {
    if is_v2() { v2::send(sgi, targets) } else { v3::send(sgi, targets) }
}

/// Sends an SGI to every vCPU but this one.
pub fn send_to_others(sgi: u32) {
    if is_v2() { v2::send_to_others(sgi) } else { v3::send_to_others(sgi) }
}
