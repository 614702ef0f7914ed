//! All of the firmware's assembly: start and vectors, what EL3 lets the lower levels do, and plain accesses to memory.

use core::arch::{asm, global_asm};

use firmware::cores::MOST;
use firmware::reply::{Now, Start};

use crate::shared::Shared;

/// Bytes of a core's stack. The linker script has room for [`MOST`] of them.
const STACK: usize = 0x1_0000;

global_asm!(include_str!("../../assembly/frame.s"), include_str!("entry.s"), most = const MOST, stack = const STACK);

/// Bits of SCR_EL3 (Arm DDI 0487, SCR_EL3).
mod scr {
    /// EL2 and below are non-secure, and the bits that are RES1.
    pub const NS: u64 = 1 << 0 | 0b11 << 4;
    /// FIQs, that is, the secure groups' interrupts, come to EL3.
    pub const FIQ: u64 = 1 << 2;
    /// HVC is enabled.
    pub const HCE: u64 = 1 << 8;
    /// EL2 is AArch64.
    pub const RW: u64 = 1 << 10;
    /// Nothing of pointer authentication traps: APK, API.
    pub const POINTERS: u64 = 0b11 << 16;
    /// Nothing of these traps either, from bit 25 upwards: EnSCXT, ATA, FGTEn, ECVEn, AMVOFFEN, HXEn, GCSEn, EnTP2,
    /// RCWMASKEn, TCR2En, SCTLR2En, PIEn, AIEn, EnFPM, FGTEn2.
    pub const FEATURES: u64 = 1 << 25
        | 1 << 26
        | 1 << 27
        | 1 << 28
        | 1 << 35
        | 1 << 38
        | 1 << 39
        | 1 << 41
        | 1 << 42
        | 1 << 43
        | 1 << 44
        | 1 << 45
        | 1 << 46
        | 1 << 50
        | 1 << 59;
}

/// CPTR_EL3: SVE (EZ) and SME (ESM) do not trap, nor does anything else.
const CPTR: u64 = 1 << 8 | 1 << 12;
/// MDCR_EL3: the profiling (NSPB) and trace (NSTB) buffers are the non-secure world's; nothing of debug and PMU traps.
const MDCR: u64 = 0b11 << 12 | 0b11 << 24;
/// SPSR_EL3 for the hypervisor: EL2h, all of DAIF masked.
const SPSR: u64 = 0x3c9;
/// SCTLR_EL2: RES1, all off.
const SCTLR_EL2: u64 = 0x30c5_0830;

/// Lets EL2 use all that the CPU has. Bits of features that a CPU lacks are RES0 there, which QEMU keeps them at.
pub fn open() {
    let scr = scr::NS | scr::FIQ | scr::HCE | scr::RW | scr::POINTERS | scr::FEATURES;
    // SAFETY: EL3 itself uses nothing of this. The vector lengths are set where there are vectors only.
    unsafe {
        asm!(
            "msr scr_el3, {scr}",
            "msr cptr_el3, {cptr}",
            "msr mdcr_el3, {mdcr}",
            "isb",
            "mrs {t}, id_aa64pfr0_el1",
            "ubfx {t}, {t}, #32, #4",
            "cbz {t}, 2f",
            "mov {t}, #0xf",
            "msr S3_6_C1_C2_0, {t}", // ZCR_EL3: the longest vectors
            "2:",
            "mrs {t}, id_aa64pfr1_el1",
            "ubfx {t}, {t}, #24, #4",
            "cbz {t}, 3f",
            "mrs {t}, S3_6_C1_C2_6", // SMCR_EL3: the same; its other bits stay
            "orr {t}, {t}, #0xf",
            "msr S3_6_C1_C2_6, {t}",
            "3:",
            "isb",
            scr = in(reg) scr, cptr = in(reg) CPTR, mdcr = in(reg) MDCR, t = out(reg) _, options(nostack),
        );
    }
}

/// Opens this CPU's GIC interface: system registers at every level, no priority masked. Not before [`open`], as the
/// non-secure level's register is reached from EL3 with SCR_EL3.NS set.
pub fn open_interrupts() {
    // SAFETY: no interrupt is enabled; SRE is set before the other registers are used.
    unsafe {
        asm!(
            "msr S3_6_C12_C12_5, {sre}", // ICC_SRE_EL3
            "isb",
            "msr S3_4_C12_C9_5, {sre}", // ICC_SRE_EL2
            "isb",
            "msr S3_0_C4_C6_0, {lowest}", // ICC_PMR_EL1
            "isb",
            sre = in(reg) 0xfu64, lowest = in(reg) 0xffu64, options(nostack),
        );
    }
}

/// Enters EL2 on this core as firmware enters a kernel: x1 to x3 are 0, the MMU is off. `shared` comes with each call that
/// is made from there.
pub fn enter(start: Start, shared: &'static Shared) -> ! {
    // SAFETY: whatever runs there has no access to the firmware's memory. The stack below the caller's frame is free for
    // the vectors, as nothing returns to it.
    unsafe {
        asm!(
            "msr tpidr_el3, {shared}",
            "msr hcr_el2, xzr",
            "msr cntvoff_el2, xzr",
            "msr cnthctl_el2, {timers}",
            "msr sctlr_el2, {sctlr}",
            "msr elr_el3, {entry}",
            "msr spsr_el3, {spsr}",
            "isb",
            "eret",
            shared = in(reg) shared, timers = in(reg) 3u64, sctlr = in(reg) SCTLR_EL2, entry = in(reg) start.entry,
            spsr = in(reg) SPSR, in("x0") start.argument, in("x1") 0u64, in("x2") 0u64, in("x3") 0u64,
            options(noreturn),
        );
    }
}

/// As [`enter`], with EL2's registers as they are. That its MMU is off is for the caller to see to.
pub fn enter_as_it_is(start: Start, shared: &'static Shared) -> ! {
    // SAFETY: as in `enter`.
    unsafe {
        asm!(
            "msr tpidr_el3, {shared}",
            "msr elr_el3, {entry}",
            "msr spsr_el3, {spsr}",
            "isb",
            "eret",
            shared = in(reg) shared, entry = in(reg) start.entry, spsr = in(reg) SPSR, in("x0") start.argument,
            in("x1") u64::MAX, in("x2") u64::MAX, in("x3") u64::MAX, options(noreturn),
        );
    }
}

/// Goes to `entry` at EL3, with `argument` in x0.
pub fn go(entry: u64, argument: u64) -> ! {
    // SAFETY: nothing comes back.
    unsafe { asm!("br {}", in(reg) entry, in("x0") argument, options(noreturn)) }
}

/// CNTPCT_EL0 and CNTFRQ_EL0.
pub fn now() -> Now {
    let (count, frequency);
    // SAFETY: reads the counter; the ISB keeps the read in program order.
    unsafe {
        asm!("isb", "mrs {}, cntpct_el0", "mrs {}, cntfrq_el0", out(reg) count, out(reg) frequency, options(nostack))
    };
    Now { count, frequency }
}

/// Waits until [`send_event`] was called on any core since this was last called here, or shorter.
pub fn wait_for_event() {
    // SAFETY: waits, nothing else.
    unsafe { asm!("wfe", options(nostack)) };
}

/// Ends [`wait_for_event`] on every core. What was written before is seen there.
pub fn send_event() {
    // SAFETY: a barrier and a hint.
    unsafe { asm!("dsb sy", "sev", options(nostack)) };
}

/// Waits for ever.
pub fn stop() -> ! {
    loop {
        // SAFETY: waits, nothing else.
        unsafe { asm!("wfi", options(nomem, nostack)) };
    }
}
