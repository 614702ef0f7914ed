//! What only a GICv2 has (Arm IHI 0048): a CPU interface in memory, targets of SPIs, and SGIs with senders.

use core::arch::asm;

use portcullis_abi::map::{GICC, GICD};

use super::distributor::{PRIORITY_DEFAULT, register::*, set_priority, word};
use crate::mmio;

/// Registers of the distributor, as offsets.
pub mod register {
    /// Targets, a byte each.
    pub const ITARGETSR: u64 = 0x800;
    /// Sends an SGI.
    pub const SGIR: u64 = 0xf00;
    /// Clear-pending of SGIs, a byte each with a bit per sender.
    pub const CPENDSGIR: u64 = 0xf10;
    /// Set-pending of SGIs, a byte each with a bit per sender.
    pub const SPENDSGIR: u64 = 0xf20;
    /// Peripheral identification 2: bits 7:4 are the architecture's revision.
    pub const GICD_PIDR2: u64 = 0xfe8;
    /// Of the CPU interface: control.
    pub const GICC_CTLR: u64 = 0x0;
    /// Of the CPU interface: the lowest priority that is let through.
    pub const GICC_PMR: u64 = 0x4;
    /// Of the CPU interface: binary point.
    pub const GICC_BPR: u64 = 0x8;
    /// Of the CPU interface: acknowledge.
    pub const GICC_IAR: u64 = 0xc;
    /// Of the CPU interface: end of interrupt.
    pub const GICC_EOIR: u64 = 0x10;
    /// Of the CPU interface: the priority of what is active.
    pub const GICC_RPR: u64 = 0x14;
    /// Of the CPU interface: the most urgent pending interrupt.
    pub const GICC_HPPIR: u64 = 0x18;
    /// Of the CPU interface: identification.
    pub const GICC_IIDR: u64 = 0xfc;
    /// Of the CPU interface: deactivation.
    pub const GICC_DIR: u64 = 0x1000;
}

use register::*;

/// GICD_CTLR and GICC_CTLR: group 0, in which all interrupts are.
const ENABLE_GROUP_0: u32 = 1;

pub(super) fn init_distributor() {
    mmio::write32(GICD + CTLR, ENABLE_GROUP_0);
}

pub(super) fn init_cpu() {
    mmio::write32(word(ICENABLER, 0), u32::MAX);
    mmio::write32(word(ICPENDR, 0), u32::MAX);
    for sgis in 0..4 {
        mmio::write32(GICD + CPENDSGIR + sgis * 4, u32::MAX);
    }
    for intid in 0..32 {
        set_priority(intid, PRIORITY_DEFAULT);
    }
    mmio::write32(GICC + GICC_PMR, 0xff);
    mmio::write32(GICC + GICC_BPR, 0);
    mmio::write32(GICC + GICC_CTLR, ENABLE_GROUP_0);
}

/// GICC_IAR: the INTID in bits 9:0, an SGI's sender in bits 12:10.
pub fn acknowledge() -> u32 {
    let value = mmio::read32(GICC + GICC_IAR);
    barrier();
    value
}

/// Ends an interrupt, with what [`acknowledge`] gave.
pub fn end(acknowledged: u32) {
    mmio::write32(GICC + GICC_EOIR, acknowledged);
    barrier();
}

/// Sends an SPI to the vCPUs in `targets`, a bit each.
pub fn set_targets(intid: u32, targets: u8) {
    mmio::write8(GICD + ITARGETSR + u64::from(intid), targets);
}

/// The vCPUs that an interrupt goes to, a bit each.
pub fn targets(intid: u32) -> u8 {
    mmio::read8(GICD + ITARGETSR + u64::from(intid))
}

/// Writes GICD_SGIR; what was stored before is seen by the receivers.
pub fn write_sgir(value: u32) {
    barrier();
    mmio::write32(GICD + SGIR, value);
    barrier();
}

pub(super) fn send(sgi: u32, targets: u16) {
    write_sgir(u32::from(targets & 0xff) << 16 | sgi);
}

pub(super) fn send_to_others(sgi: u32) {
    write_sgir(1 << 24 | sgi);
}

fn barrier() {
    // SAFETY: a barrier changes nothing.
    unsafe { asm!("dsb sy", options(nostack)) };
}
