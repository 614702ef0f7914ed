//! Pieces of a measurement that both guests need.

use core::arch::asm;
use core::ptr;

use crate::guest::console::Console;
use crate::mark;

/// The syndrome of the last unexpected exception and how many there were; written by entry.s.
#[repr(C)]
struct Exceptions {
    syndrome: u64,
    count: u64,
}

// SAFETY: the name is used by entry.s only, which expects this layout.
#[unsafe(no_mangle)]
static mut EXCEPTIONS: Exceptions = Exceptions { syndrome: 0, count: 0 };

unsafe extern "C" {
    safe fn mark_end(test: u64);
    safe fn loop_nops(rounds: u64) -> u64;
}

/// Forgets the exceptions so far.
pub fn clear_exceptions() {
    // SAFETY: one vCPU uses it at a time; the exception handler runs on that one.
    unsafe { (&raw mut EXCEPTIONS).write_volatile(Exceptions { syndrome: 0, count: 0 }) }
}

/// How many exceptions there were, and the last one's syndrome.
pub fn exceptions() -> (u64, u64) {
    // SAFETY: as above.
    let Exceptions { syndrome, count } = unsafe { ptr::read_volatile(&raw const EXCEPTIONS) };
    (count, syndrome)
}

/// Starts a window: what is executed outside guests counts.
#[inline(always)]
pub fn start_window() {
    // SAFETY: it does nothing.
    unsafe { asm!("sub xzr, xzr, xzr, lsl #1", options(nostack)) };
}

/// Ends the window, if there is one.
#[inline(always)]
pub fn end_window() {
    // SAFETY: it does nothing.
    unsafe { asm!("sub xzr, xzr, xzr, lsl #2", options(nostack)) };
}

/// Tells the instruction counter that `test` is complete.
pub fn end_test(test: u64) {
    mark_end(test);
}

/// Has something done again and again: [`mark::BEFORE`] times, which do not count, and then `count` times, which are `test`'s. `go`
/// does it once, in a window, by its number, and says whether it went well. Returns how often it did.
pub fn repeat(test: u64, count: u32, mut go: impl FnMut(u32) -> bool) -> u32 {
    let mut right = 0;
    for number in 0..count + mark::BEFORE {
        if number == mark::BEFORE {
            end_test(mark::WARM_UP);
        }
        right += u32::from(go(number));
    }
    end_test(test);
    right
}

/// The virtual counter.
pub fn count() -> u64 {
    let count;
    // SAFETY: reads a counter.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) count, options(nostack)) };
    count
}

/// Ticks of a second.
pub fn frequency() -> u64 {
    let frequency;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack)) };
    frequency
}

/// Waits for an interrupt, the hypervisor's own perhaps.
pub fn wait() {
    // SAFETY: it changes nothing.
    unsafe { asm!("wfi", options(nostack)) };
}

/// Reports the start, and how many ticks of the counter 640000 instructions take: as many, if the count can be trusted.
pub fn introduce(console: &mut Console, name: &str, entered: u64) {
    let identification;
    // SAFETY: reads a register.
    unsafe { asm!("mrs {}, midr_el1", out(reg) identification, options(nomem, nostack)) };
    console
        .text("bench ")
        .text(name)
        .text(": start frequency=")
        .decimal(frequency())
        .text(" entered=")
        .decimal(entered);
    console.text(" midr=").hexadecimal(identification).end();
    let mut best = u64::MAX;
    for _ in 0..4 {
        best = best.min(loop_nops(11_000).wrapping_sub(loop_nops(1_000)));
    }
    console.text("bench ").text(name).text(": 640000 instructions take ").decimal(best).text(" ticks").end();
}

/// Reports the end.
pub fn finish(console: &mut Console, name: &str) {
    console.text("bench ").text(name).text(": done").end();
}
