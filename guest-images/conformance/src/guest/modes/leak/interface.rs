//! The CPU interface of the interrupt controller, and an interrupt that is active.

use core::arch::asm;

use guest_runtime::gic::v2::register::{GICC_BPR, GICC_CTLR, GICC_PMR, GICC_RPR};
use guest_runtime::{gic, mmio};
use portcullis_abi::map::GICC;

use super::slot::{Slot, slot};

/// The priorities that every virtual interface tells apart.
const PRIORITY: u64 = 0xf8;
/// Both halves of the binary points' range that every interface has.
const BINARY_POINT: u64 = 0b11;
const ZERO: Option<u64> = Some(0);

/// A GICv3's. EOImode is the one bit of ICC_CTLR_EL1 that no other register's meaning hangs on.
const V3: &[Slot] = &[
    Slot { wakes: true, ..slot!("ICC_PMR_EL1", "s3_0_c4_c6_0", PRIORITY, ZERO) },
    slot!("ICC_BPR0_EL1", "s3_0_c12_c8_3", BINARY_POINT, None),
    slot!("ICC_BPR1_EL1", "s3_0_c12_c12_3", BINARY_POINT, None),
    slot!("ICC_CTLR_EL1", "s3_0_c12_c12_4", 0b10, ZERO),
    slot!("ICC_IGRPEN0_EL1", "s3_0_c12_c12_6", 1, ZERO),
    Slot { wakes: true, ..slot!("ICC_IGRPEN1_EL1", "s3_0_c12_c12_7", 1, ZERO) },
];

/// A slot of a GICv2's interface.
macro_rules! word {
    ($name:literal, $offset:expr, $mask:expr, $reset:expr) => {
        Slot {
            name: $name,
            mask: $mask,
            reset: $reset,
            wakes: false,
            read: || u64::from(mmio::read32(GICC + $offset)),
            write: |value| mmio::write32(GICC + $offset, value as u32),
        }
    };
}

/// A GICv2's: of GICC_CTLR, EOImode and the enable of group 1, in which nothing is.
const V2: &[Slot] = &[
    Slot { wakes: true, ..word!("GICC_PMR", GICC_PMR, PRIORITY, ZERO) },
    word!("GICC_BPR", GICC_BPR, BINARY_POINT, None),
    word!("GICC_CTLR", GICC_CTLR, 1 << 9 | 1 << 1, ZERO),
];

/// This machine's.
pub fn slots() -> &'static [Slot] {
    if gic::version() == 2 { V2 } else { V3 }
}

/// Opens the interface, with binary points in the middle of their range.
pub fn open() {
    gic::init_distributor();
    gic::init_cpu();
    if gic::version() == 2 {
        mmio::write32(GICC + GICC_BPR, 4);
    } else {
        // SAFETY: says which interrupts may preempt which; they are masked.
        unsafe {
            asm!("msr s3_0_c12_c8_3, {0}", "msr s3_0_c12_c12_3, {0}", "isb", in(reg) 4u64, options(nostack));
        }
    }
}

/// The priority of what is active.
pub fn running_priority() -> u64 {
    if gic::version() == 2 {
        return mmio::read32(GICC + GICC_RPR).into();
    }
    let priority;
    // SAFETY: reads a register without side effects.
    unsafe { asm!("isb", "mrs {}, s3_0_c12_c11_3", out(reg) priority, options(nostack)) };
    priority
}
