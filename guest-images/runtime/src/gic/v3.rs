//! What only a GICv3 has: redistributors, and a CPU interface of system registers.

use core::arch::asm;

use portcullis_abi::map::GICD;

use super::distributor::{PRIORITY_DEFAULT, redistributor, register::*, set_priority, word};
use crate::{cpu, mmio};

/// GICD_CTLR: affinity routing and group 1, with one security state.
const CTLR_ARE_GROUP1: u32 = 1 << 4 | 1 << 1;
/// GICR_WAKER: the processor sleeps.
const WAKER_PROCESSOR_SLEEP: u32 = 1 << 1;
/// GICR_WAKER: the children sleep.
const WAKER_CHILDREN_ASLEEP: u32 = 1 << 2;

pub(super) fn init_distributor() {
    mmio::write32(GICD + CTLR, CTLR_ARE_GROUP1);
}

pub(super) fn init_cpu() {
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

pub(super) fn set_route(intid: u32, index: usize) {
    mmio::write64(GICD + IROUTER + u64::from(intid) * 8, index as u64);
}

pub(super) fn acknowledge() -> u32 {
    let intid: u64;
    // SAFETY: makes the interrupt active; `end` is its counterpart.
    unsafe { asm!("mrs {}, icc_iar1_el1", "dsb sy", out(reg) intid, options(nostack)) };
    intid as u32 & 0xff_ffff
}

pub(super) fn end(intid: u32) {
    // SAFETY: drops the priority and deactivates an interrupt.
    unsafe { asm!("msr icc_eoir1_el1, {}", "isb", in(reg) u64::from(intid), options(nostack)) };
}

pub(super) fn send(sgi: u32, targets: u16) {
    write_sgi1r(u64::from(sgi) << 24 | u64::from(targets));
}

pub(super) fn send_to_others(sgi: u32) {
    write_sgi1r(1 << 40 | u64::from(sgi) << 24);
}

fn write_sgi1r(value: u64) {
    // SAFETY: an SGI acts through its interrupt only; the barrier lets its receivers see what was stored before.
    unsafe { asm!("dsb sy", "msr icc_sgi1r_el1, {}", "isb", in(reg) value, options(nostack)) };
}
