//! The system registers that every CPU has.

use super::slot::{Slot, slot};

/// Bits of an address.
const ADDRESS: u64 = 0x0000_ffff_ffff_ffff;
/// All bits.
const ALL: u64 = u64::MAX;
/// SCTLR_EL1: what EL0, which is never used, may do: UMA, DZE, UCT, UCI.
const SCTLR: u64 = 1 << 9 | 1 << 14 | 1 << 15 | 1 << 26;
/// TCR_EL1: cacheability of the walks of the upper half, which are off.
const TCR: u64 = 0xf << 24;

/// The start of this program has written it.
const WRITTEN: Option<u64> = None;
const ZERO: Option<u64> = Some(0);

/// Them all.
pub const SLOTS: &[Slot] = &[
    slot!("SP_EL0", "sp_el0", ALL, ZERO),
    slot!("TPIDR_EL0", "tpidr_el0", ALL, ZERO),
    slot!("TPIDR_EL1", "tpidr_el1", ALL, ZERO),
    slot!("TPIDRRO_EL0", "tpidrro_el0", ALL, ZERO),
    slot!("CONTEXTIDR_EL1", "contextidr_el1", 0xffff_ffff, ZERO),
    slot!("ESR_EL1", "esr_el1", 0xffff_ffff, ZERO),
    slot!("FAR_EL1", "far_el1", ADDRESS, ZERO),
    slot!("AFSR0_EL1", "afsr0_el1", 0xffff_ffff, ZERO),
    slot!("AFSR1_EL1", "afsr1_el1", 0xffff_ffff, ZERO),
    slot!("ELR_EL1", "elr_el1", ADDRESS, ZERO),
    slot!("SPSR_EL1", "spsr_el1", 0xf000_03c0, ZERO),
    slot!("PAR_EL1", "par_el1", 0x0000_ffff_ffff_f000, ZERO),
    slot!("VBAR_EL1", "vbar_el1", ADDRESS & !0x7ff, WRITTEN),
    // Attributes 0 and 1 are in use.
    slot!("MAIR_EL1", "mair_el1", ALL << 16, WRITTEN),
    slot!("AMAIR_EL1", "amair_el1", ALL, ZERO),
    // The ASID: the map has no page that belongs to one.
    slot!("TTBR0_EL1", "ttbr0_el1", 0xff << 48, WRITTEN),
    slot!("TTBR1_EL1", "ttbr1_el1", 0x00ff_ffff_ffff_f000, ZERO),
    slot!("TCR_EL1", "tcr_el1", TCR, WRITTEN),
    slot!("SCTLR_EL1", "sctlr_el1", SCTLR, WRITTEN),
    // ZEN and SMEN where there are such; floating point is open.
    slot!("CPACR_EL1", "cpacr_el1", 0b11 << 16 | 1 << 28, ZERO),
    slot!("CSSELR_EL1", "csselr_el1", 0b11, ZERO),
    // All but the event stream.
    slot!("CNTKCTL_EL1", "cntkctl_el1", 0x3fb, ZERO),
    slot!("CNTP_CTL_EL0", "cntp_ctl_el0", 0b10, ZERO),
    slot!("CNTP_CVAL_EL0", "cntp_cval_el0", ALL, ZERO),
    Slot { wakes: true, ..slot!("CNTV_CTL_EL0", "cntv_ctl_el0", 0b10, ZERO) },
    Slot { wakes: true, ..slot!("CNTV_CVAL_EL0", "cntv_cval_el0", ALL, ZERO) },
];
