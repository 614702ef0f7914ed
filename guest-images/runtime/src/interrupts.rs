//! Interrupts of this vCPU: the mask, and the wait for one.

use core::arch::asm;

/// Waits for an interrupt: WFI.
pub fn wait_for_interrupt() {
    // SAFETY: a hint; a pending interrupt ends it even if masked.
    unsafe { asm!("dsb sy", "wfi", options(nostack)) };
}

/// Lets interrupts through.
pub fn unmask_interrupts() {
    // SAFETY: the vectors are set, and handlers share atomics only with what they interrupt.
    unsafe { asm!("msr daifclr, #2", "isb", options(nostack)) };
}

/// Holds interrupts back.
pub fn mask_interrupts() {
    // SAFETY: changes PSTATE.I only.
    unsafe { asm!("msr daifset, #2", options(nostack)) };
}

/// Runs `work` with interrupts let through.
pub fn with_interrupts<R>(work: impl FnOnce() -> R) -> R {
    unmask_interrupts();
    let result = work();
    mask_interrupts();
    result
}
