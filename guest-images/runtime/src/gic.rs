//! GICv3 (Arm IHI 0069): distributor, redistributors and the CPU interface's system registers.

use core::arch::asm;

use portcullis_abi::map::{GICD, GICR, GICR_STRIDE};

use crate::{cpu, mmio};

/// Distributor and redistributor registers, as offsets; those of SGIs and PPIs lie in the redistributor's SGI frame.
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

/// GICD_CTLR: affinity routing and group 1, with one security state.
const CTLR_ARE_GROUP1: u32 = 1 << 4 | 1 << 1;
/// GICR_WAKER: the processor sleeps.
const WAKER_PROCESSOR_SLEEP: u32 = 1 << 1;
/// GICR_WAKER: the children sleep.
const WAKER_CHILDREN_ASLEEP: u32 = 1 << 2;
/// First INTID that is no interrupt (IHI 0069 section 2.2.1).
const SPECIAL: u32 = 1020;
/// Priority of an interrupt that was not given one.
pub const PRIORITY_DEFAULT: u8 = 0xa0;

/// Base of a vCPU's redistributor.
pub fn redistributor(index: usize) -> u64 {
    GICR + index as u64 * GICR_STRIDE
}

/// Base of the frame with the registers of `intid`, as this vCPU sees it.
pub fn frame(intid: u32) -> u64 {
    if intid < 32 { redistributor(cpu::index()) + 0x1_0000 } else { GICD }
}

/// Address of the word with the bit of `intid` in a register with one bit each.
pub fn word(register: u64, intid: u32) -> u64 {
    frame(intid) + register + u64::from(intid / 32) * 4
}

/// Turns the distributor on.
pub fn init_distributor() {
    mmio::write32(GICD + CTLR, CTLR_ARE_GROUP1);
}

/// Wakes this vCPU's redistributor, puts its SGIs and PPIs in group 1, all disabled, and opens its CPU interface.
pub fn init_cpu() {
    let waker = redistributor(cpu::index()) + GICR_WAKER;
    mmio::write32(waker, mmio::read32(waker) & !WAKER_PROCESSOR_SLEEP);
    while mmio::read32(waker) & WAKER_CHILDREN_ASLEEP != 0 {}
    mmio::write32(word(ICENABLER, 0), u32::MAX);
    mmio::write32(word(ICPENDR, 0), u32::MAX);
    mmio::write32(word(IGROUPR, 0), u32::MAX);
    for intid in 0..32 {
        set_priority(intid, PRIORITY_DEFAULT);
    }
    // SAFETY: the CPU interface acts through interrupts only, which are masked until their handler is there.
    unsafe {
        asm!(
            "msr icc_sre_el1, {sre}",
            "isb",
            "msr icc_pmr_el1, {pmr}",
            "msr icc_bpr1_el1, xzr",
            "msr icc_ctlr_el1, xzr",
            "msr icc_igrpen1_el1, {enable}",
            "isb",
            sre = in(reg) 7u64, pmr = in(reg) 0xffu64, enable = in(reg) 1u64, options(nostack)
        );
    }
}

/// Takes the highest pending interrupt.
pub fn acknowledge() -> Option<u32> {
    let intid: u64;
    // SAFETY: makes the interrupt active; `end` is its counterpart.
    unsafe { asm!("mrs {}, icc_iar1_el1", "dsb sy", out(reg) intid, options(nostack)) };
    let intid = intid as u32 & 0xff_ffff;
    (intid < SPECIAL).then_some(intid)
}

/// Ends an interrupt taken by [`acknowledge`].
pub fn end(intid: u32) {
    // SAFETY: drops the priority and deactivates an interrupt.
    unsafe { asm!("msr icc_eoir1_el1, {}", "isb", in(reg) u64::from(intid), options(nostack)) };
}

/// Enables an interrupt in group 1.
pub fn enable(intid: u32) {
    let group = word(IGROUPR, intid);
    mmio::write32(group, mmio::read32(group) | 1 << (intid % 32));
    mmio::write32(word(ISENABLER, intid), 1 << (intid % 32));
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

/// Sends an SPI to the vCPU with Aff0 = `index`.
pub fn route(intid: u32, index: usize) {
    mmio::write64(GICD + IROUTER + u64::from(intid) * 8, index as u64);
}

/// The affinity that an SPI goes to.
pub fn routed_to(intid: u32) -> u64 {
    mmio::read64(GICD + IROUTER + u64::from(intid) * 8)
}

/// Sends an SGI to the vCPUs with Aff0 in the 16-bit `targets`.
pub fn send(sgi: u32, targets: u16) {
    write_sgi1r(u64::from(sgi) << 24 | u64::from(targets));
}

/// Sends an SGI to every vCPU but this one.
pub fn send_to_others(sgi: u32) {
    write_sgi1r(1 << 40 | u64::from(sgi) << 24);
}

fn write_sgi1r(value: u64) {
    // SAFETY: an SGI acts through its interrupt only; the barrier lets its receivers see what was stored before.
    unsafe { asm!("dsb sy", "msr icc_sgi1r_el1, {}", "isb", in(reg) value, options(nostack)) };
}
