//! Where in the schedule of windows a core is.

use core::arch::asm;

use crate::sharing::FRAME;

/// The frame of the windows' schedule in which this is, and the ticks since it began.
pub fn frame() -> (u64, u64) {
    let now: u64;
    // SAFETY: reads a register.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) now, options(nomem, nostack)) }
    (now / FRAME, now % FRAME)
}
