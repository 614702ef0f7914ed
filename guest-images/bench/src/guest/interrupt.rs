//! Waiting for interrupts, as an idle loop does: masked, so that none is lost.

use core::arch::asm;

use crate::guest::measure;

/// Sleeps until an interrupt is pending, which is not taken yet.
pub fn wake() {
    // SAFETY: ISR_EL1 is read only; interrupts stay masked.
    unsafe { asm!("2: wfi", "mrs {0}, isr_el1", "cbz {0}, 2b", out(reg) _, options(nostack)) };
}

/// Takes interrupts that are pending. The vector acknowledges them at the GIC.
pub fn take() {
    // SAFETY: the vector uses these registers alone.
    unsafe {
        asm!("msr daifclr, #2", "isb", "msr daifset, #2",
            out("x14") _, out("x15") _, out("x16") _, out("x17") _, options(nostack));
    };
}

/// Lets others run: where cores take turns on one thread nobody else does while this one spins.
pub fn yield_core() {
    // SAFETY: it changes nothing.
    unsafe { asm!("yield", options(nomem, nostack)) };
}

/// Sleeps until an interrupt comes, and takes it.
pub fn wait() {
    wake();
    take();
}

/// Sleeps for so many ticks of the counter. Other interrupts are taken meanwhile, and are nobody's.
pub fn sleep(ticks: u64) {
    let end = measure::count() + ticks;
    while measure::count() < end {
        // SAFETY: the virtual timer is this guest's own, and the vector switches it off.
        unsafe {
            asm!("msr cntv_cval_el0, {}", "msr cntv_ctl_el0, {}", "isb", in(reg) end, in(reg) 1_u64, options(nostack))
        };
        wait();
    }
}
