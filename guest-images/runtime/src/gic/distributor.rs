//! What the distributors of both generations have, with a GICv3's redistributors; and which generation this is.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

use portcullis_abi::map::{GICD, GICR, GICR_STRIDE};

use crate::{cpu, mmio};

/// Distributor and redistributor registers, as offsets; those of SGIs and PPIs lie in a
/// GICv3's redistributor, in its SGI frame.
pub mod register {
    /// Control.
    pub const CTLR: u64 = 0;
    /// Type of the distributor.
    pub const GICD_TYPER: u64 = 4;
    /// Type of a redistributor, 64 bits.
    pub const GICR_TYPER: u64 = 8;
    /// Sleep of a redistributor.
    pub const GICR_WAKER: u64 = 0x14;
    /// Group, one bit each.
    pub const IGROUPR: u64 = 0x80;
    /// Set-enable, one bit each.
    pub const ISENABLER: u64 = 0x100;
    /// Clear-enable, one bit each.
    pub const ICENABLER: u64 = 0x180;
    /// Set-pending, one bit each.
    pub const ISPENDR: u64 = 0x200;
    /// Clear-pending, one bit each.
    pub const ICPENDR: u64 = 0x280;
    /// Set-active, one bit each.
    pub const ISACTIVER: u64 = 0x300;
    /// Clear-active, one bit each.
    pub const ICACTIVER: u64 = 0x380;
    /// Priority, one byte each.
    pub const IPRIORITYR: u64 = 0x400;
    /// Configuration, two bits each: 0b10 is edge-triggered.
    pub const ICFGR: u64 = 0xc00;
    /// Affinity of an SPI, 64 bits each.
    pub const IROUTER: u64 = 0x6000;
    /// Peripheral identification 2: bits 7:4 are the architecture's revision.
    pub const PIDR2: u64 = 0xffe8;
}

use register::*;

/// Priority of an interrupt that was not given one.
pub const PRIORITY_DEFAULT: u8 = 0xa0;

static V2: AtomicBool = AtomicBool::new(false);

/// Says which one there is, by the `compatible` of its node; what is no GICv2 counts as a GICv3.
pub(crate) fn choose(compatible: &str) {
    V2.store(matches!(compatible, "arm,cortex-a15-gic" | "arm,gic-400"), Relaxed);
}

/// Its generation: 2 or 3.
pub fn version() -> u32 {
    if is_v2() { 2 } else { 3 }
}

/// Whether it is a GICv2.
pub(super) fn is_v2() -> bool {
    V2.load(Relaxed)
}

/// Base of the frame with the registers of `intid`, as this vCPU sees it.
pub fn frame(intid: u32) -> u64 {
    if intid < 32 && !is_v2() { redistributor(cpu::index()) + 0x1_0000 } else { GICD }
}

/// Address of the word with the bit of `intid` in a register with one bit each.
pub fn word(register: u64, intid: u32) -> u64 {
    frame(intid) + register + u64::from(intid / 32) * 4
}

/// Base of a vCPU's redistributor.
pub fn redistributor(index: usize) -> u64 {
    GICR + index as u64 * GICR_STRIDE
}

/// Enables an interrupt, a GICv3's in group 1.
pub fn enable(intid: u32) {
    if !is_v2() {
        let group = word(IGROUPR, intid);
        mmio::write32(group, mmio::read32(group) | 1 << (intid % 32));
    }
    mmio::write32(word(ISENABLER, intid), 1 << (intid % 32));
}

/// Puts an interrupt of a GICv3 in group 0.
pub fn set_group_0(intid: u32) {
    let group = word(IGROUPR, intid);
    mmio::write32(group, mmio::read32(group) & !(1 << (intid % 32)));
}

/// Disables an interrupt.
pub fn disable(intid: u32) {
    mmio::write32(word(ICENABLER, intid), 1 << (intid % 32));
}

/// Whether an interrupt's bit is set in a register with one bit each.
pub fn is_set(register: u64, intid: u32) -> bool {
    mmio::read32(word(register, intid)) >> (intid % 32) & 1 == 1
}

/// Makes an interrupt pending.
pub fn set_pending(intid: u32) {
    mmio::write32(word(ISPENDR, intid), 1 << (intid % 32));
}

/// Takes the pending state from an interrupt.
pub fn clear_pending(intid: u32) {
    mmio::write32(word(ICPENDR, intid), 1 << (intid % 32));
}

/// Sets an interrupt's priority; smaller is more urgent.
pub fn set_priority(intid: u32, priority: u8) {
    mmio::write8(frame(intid) + IPRIORITYR + u64::from(intid), priority);
}

/// An interrupt's priority.
pub fn priority(intid: u32) -> u8 {
    mmio::read8(frame(intid) + IPRIORITYR + u64::from(intid))
}

/// Makes an SPI edge-triggered or level-sensitive.
pub fn set_edge(intid: u32, edge: bool) {
    let address = frame(intid) + ICFGR + u64::from(intid / 16) * 4;
    let shift = intid % 16 * 2;
    let rest = mmio::read32(address) & !(0b11 << shift);
    mmio::write32(address, rest | if edge { 0b10 << shift } else { 0 });
}

/// The affinity that a GICv3's SPI goes to.
pub fn routed_to(intid: u32) -> u64 {
    mmio::read64(GICD + IROUTER + u64::from(intid) * 8)
}
