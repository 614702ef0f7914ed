//! A guest that looks when it gets its window, and how much of it.

use core::arch::asm;

use crate::guest::console::Console;
use crate::sharing::FRAME;

/// Most windows that can be looked at.
const MAX_WINDOWS: usize = 1000;
/// Ticks between two looks at the counter that nobody has taken away: ten times what the loop takes.
const UNDISTURBED: u64 = 500;
/// Numbers in a line.
const PER_LINE: usize = 12;

/// A window as it was.
#[derive(Clone, Copy)]
struct Seen {
    /// Ticks from its beginning until the guest ran.
    late: u32,
    /// Ticks that the guest ran.
    had: u32,
}

static mut SEEN: [Seen; MAX_WINDOWS] = [Seen { late: 0, had: 0 }; MAX_WINDOWS];

/// Looks at `count` windows, one in each frame, and tells of each how late it was, how long, and if one was missed.
pub fn observe(console: &mut Console, count: usize) {
    let count = count.min(MAX_WINDOWS);
    let mut missed = 0;
    let mut previous = counter();
    // The window that is going on does not count, nor what was before it.
    while previous / FRAME == counter() / FRAME {}
    previous = counter();
    for _ in 0..2 {
        (_, previous) = window(previous);
    }
    for number in 0..count {
        let frame = previous / FRAME;
        let (seen, next) = window(previous);
        missed += next / FRAME - frame - 1;
        // SAFETY: the first vCPU alone uses it; the number is below the length.
        unsafe { (&raw mut SEEN).cast::<Seen>().add(number).write(seen) };
        previous = next;
    }
    tell(console, "late", count, |seen| seen.late);
    tell(console, "had", count, |seen| seen.had);
    console.text("windows missed ").decimal(missed).end();
}

/// Spins through the window that began before `first`, and returns what it was and the first tick of the next one.
fn window(first: u64) -> (Seen, u64) {
    let frame = first / FRAME;
    let (mut previous, mut lost) = (first, 0);
    loop {
        let now = spin();
        if now / FRAME != frame {
            let had = previous - first - lost;
            return (Seen { late: (first % FRAME) as u32, had: had as u32 }, now);
        }
        if now - previous > UNDISTURBED {
            lost += now - previous;
        }
        previous = now;
    }
}

fn tell(console: &mut Console, what: &str, count: usize, value: fn(&Seen) -> u32) {
    // SAFETY: as above; the windows are over.
    let seen = unsafe { (&raw const SEEN).as_ref() };
    for line in seen.and_then(|seen| seen.get(..count)).unwrap_or_default().chunks(PER_LINE) {
        console.text("windows ").text(what);
        for seen in line {
            console.text(" ").decimal(u64::from(value(seen)));
        }
        console.end();
    }
}

/// The physical counter, by which the frames go.
fn counter() -> u64 {
    let value;
    // SAFETY: reads a register.
    unsafe { asm!("isb", "mrs {}, cntpct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// The same some instructions later.
fn spin() -> u64 {
    // SAFETY: does nothing.
    unsafe { asm!(".rept 32", "nop", ".endr", options(nomem, nostack)) };
    counter()
}
