//! The registers of self-hosted debug. Breakpoints and watchpoints stay off: only their enable bits are left alone.

use core::arch::asm;

use super::slot::{Slot, slot};

/// MDSCR_EL1: TDCC, KDE and MDE, which do nothing while there is no breakpoint on.
const MDSCR: u64 = 1 << 12 | 1 << 13 | 1 << 15;
/// DBGBVR: a word's address.
const ADDRESS: u64 = 0x0000_ffff_ffff_fffc;
/// DBGBCR: PMC, HMC and SSC.
const BREAKPOINT: u64 = 0b11 << 1 | 0b111 << 13;
/// DBGWCR: PAC, LSC, BAS, HMC and SSC.
const WATCHPOINT: u64 = 0xfffe;
const ZERO: Option<u64> = Some(0);

/// Claim tags are set by one register and cleared by another, which shows them.
const CLAIM: Slot = Slot {
    write: |value| {
        // SAFETY: the tags mean something to software only.
        unsafe { asm!("msr s2_0_c7_c9_6, {}", "msr s2_0_c7_c8_6, {}", "isb", in(reg) !value & 0xff, in(reg) value) };
    },
    ..slot!("DBGCLAIM", "s2_0_c7_c9_6", 0xff, ZERO)
};
/// The OS lock, set in a vCPU that starts; OSLSR_EL1 shows it in bit 1.
const OS_LOCK: Slot = Slot {
    write: |value| {
        // SAFETY: breakpoints and watchpoints are off with and without it.
        unsafe { asm!("msr s2_0_c1_c0_4, {}", "isb", in(reg) value >> 1 & 1) };
    },
    ..slot!("OS lock", "s2_0_c1_c1_4", 0b10, Some(0b10))
};

/// What every CPU has.
pub const SLOTS: &[Slot] = &[
    OS_LOCK,
    slot!("MDSCR_EL1", "mdscr_el1", MDSCR, ZERO),
    slot!("MDCCINT_EL1", "s2_0_c0_c2_0", 0b11 << 29, ZERO),
    CLAIM,
];

/// What a CPU with FEAT_DoubleLock has: the OS double lock.
pub const DOUBLE_LOCK: &[Slot] = &[slot!("OSDLR_EL1", "s2_0_c1_c3_4", 1, ZERO)];

/// Two for each breakpoint.
pub const BREAKPOINTS: &[Slot] = &[
    slot!("DBGBVR0_EL1", "s2_0_c0_c0_4", ADDRESS, ZERO),
    slot!("DBGBCR0_EL1", "s2_0_c0_c0_5", BREAKPOINT, ZERO),
    slot!("DBGBVR1_EL1", "s2_0_c0_c1_4", ADDRESS, ZERO),
    slot!("DBGBCR1_EL1", "s2_0_c0_c1_5", BREAKPOINT, ZERO),
    slot!("DBGBVR2_EL1", "s2_0_c0_c2_4", ADDRESS, ZERO),
    slot!("DBGBCR2_EL1", "s2_0_c0_c2_5", BREAKPOINT, ZERO),
    slot!("DBGBVR3_EL1", "s2_0_c0_c3_4", ADDRESS, ZERO),
    slot!("DBGBCR3_EL1", "s2_0_c0_c3_5", BREAKPOINT, ZERO),
    slot!("DBGBVR4_EL1", "s2_0_c0_c4_4", ADDRESS, ZERO),
    slot!("DBGBCR4_EL1", "s2_0_c0_c4_5", BREAKPOINT, ZERO),
    slot!("DBGBVR5_EL1", "s2_0_c0_c5_4", ADDRESS, ZERO),
    slot!("DBGBCR5_EL1", "s2_0_c0_c5_5", BREAKPOINT, ZERO),
    slot!("DBGBVR6_EL1", "s2_0_c0_c6_4", ADDRESS, ZERO),
    slot!("DBGBCR6_EL1", "s2_0_c0_c6_5", BREAKPOINT, ZERO),
    slot!("DBGBVR7_EL1", "s2_0_c0_c7_4", ADDRESS, ZERO),
    slot!("DBGBCR7_EL1", "s2_0_c0_c7_5", BREAKPOINT, ZERO),
    slot!("DBGBVR8_EL1", "s2_0_c0_c8_4", ADDRESS, ZERO),
    slot!("DBGBCR8_EL1", "s2_0_c0_c8_5", BREAKPOINT, ZERO),
    slot!("DBGBVR9_EL1", "s2_0_c0_c9_4", ADDRESS, ZERO),
    slot!("DBGBCR9_EL1", "s2_0_c0_c9_5", BREAKPOINT, ZERO),
    slot!("DBGBVR10_EL1", "s2_0_c0_c10_4", ADDRESS, ZERO),
    slot!("DBGBCR10_EL1", "s2_0_c0_c10_5", BREAKPOINT, ZERO),
    slot!("DBGBVR11_EL1", "s2_0_c0_c11_4", ADDRESS, ZERO),
    slot!("DBGBCR11_EL1", "s2_0_c0_c11_5", BREAKPOINT, ZERO),
    slot!("DBGBVR12_EL1", "s2_0_c0_c12_4", ADDRESS, ZERO),
    slot!("DBGBCR12_EL1", "s2_0_c0_c12_5", BREAKPOINT, ZERO),
    slot!("DBGBVR13_EL1", "s2_0_c0_c13_4", ADDRESS, ZERO),
    slot!("DBGBCR13_EL1", "s2_0_c0_c13_5", BREAKPOINT, ZERO),
    slot!("DBGBVR14_EL1", "s2_0_c0_c14_4", ADDRESS, ZERO),
    slot!("DBGBCR14_EL1", "s2_0_c0_c14_5", BREAKPOINT, ZERO),
    slot!("DBGBVR15_EL1", "s2_0_c0_c15_4", ADDRESS, ZERO),
    slot!("DBGBCR15_EL1", "s2_0_c0_c15_5", BREAKPOINT, ZERO),
];

/// Two for each watchpoint.
pub const WATCHPOINTS: &[Slot] = &[
    slot!("DBGWVR0_EL1", "s2_0_c0_c0_6", ADDRESS, ZERO),
    slot!("DBGWCR0_EL1", "s2_0_c0_c0_7", WATCHPOINT, ZERO),
    slot!("DBGWVR1_EL1", "s2_0_c0_c1_6", ADDRESS, ZERO),
    slot!("DBGWCR1_EL1", "s2_0_c0_c1_7", WATCHPOINT, ZERO),
    slot!("DBGWVR2_EL1", "s2_0_c0_c2_6", ADDRESS, ZERO),
    slot!("DBGWCR2_EL1", "s2_0_c0_c2_7", WATCHPOINT, ZERO),
    slot!("DBGWVR3_EL1", "s2_0_c0_c3_6", ADDRESS, ZERO),
    slot!("DBGWCR3_EL1", "s2_0_c0_c3_7", WATCHPOINT, ZERO),
    slot!("DBGWVR4_EL1", "s2_0_c0_c4_6", ADDRESS, ZERO),
    slot!("DBGWCR4_EL1", "s2_0_c0_c4_7", WATCHPOINT, ZERO),
    slot!("DBGWVR5_EL1", "s2_0_c0_c5_6", ADDRESS, ZERO),
    slot!("DBGWCR5_EL1", "s2_0_c0_c5_7", WATCHPOINT, ZERO),
    slot!("DBGWVR6_EL1", "s2_0_c0_c6_6", ADDRESS, ZERO),
    slot!("DBGWCR6_EL1", "s2_0_c0_c6_7", WATCHPOINT, ZERO),
    slot!("DBGWVR7_EL1", "s2_0_c0_c7_6", ADDRESS, ZERO),
    slot!("DBGWCR7_EL1", "s2_0_c0_c7_7", WATCHPOINT, ZERO),
    slot!("DBGWVR8_EL1", "s2_0_c0_c8_6", ADDRESS, ZERO),
    slot!("DBGWCR8_EL1", "s2_0_c0_c8_7", WATCHPOINT, ZERO),
    slot!("DBGWVR9_EL1", "s2_0_c0_c9_6", ADDRESS, ZERO),
    slot!("DBGWCR9_EL1", "s2_0_c0_c9_7", WATCHPOINT, ZERO),
    slot!("DBGWVR10_EL1", "s2_0_c0_c10_6", ADDRESS, ZERO),
    slot!("DBGWCR10_EL1", "s2_0_c0_c10_7", WATCHPOINT, ZERO),
    slot!("DBGWVR11_EL1", "s2_0_c0_c11_6", ADDRESS, ZERO),
    slot!("DBGWCR11_EL1", "s2_0_c0_c11_7", WATCHPOINT, ZERO),
    slot!("DBGWVR12_EL1", "s2_0_c0_c12_6", ADDRESS, ZERO),
    slot!("DBGWCR12_EL1", "s2_0_c0_c12_7", WATCHPOINT, ZERO),
    slot!("DBGWVR13_EL1", "s2_0_c0_c13_6", ADDRESS, ZERO),
    slot!("DBGWCR13_EL1", "s2_0_c0_c13_7", WATCHPOINT, ZERO),
    slot!("DBGWVR14_EL1", "s2_0_c0_c14_6", ADDRESS, ZERO),
    slot!("DBGWCR14_EL1", "s2_0_c0_c14_7", WATCHPOINT, ZERO),
    slot!("DBGWVR15_EL1", "s2_0_c0_c15_6", ADDRESS, ZERO),
    slot!("DBGWCR15_EL1", "s2_0_c0_c15_7", WATCHPOINT, ZERO),
];
