//! `clocks` reads CNTVCT_EL0 and CLOCK_MONOTONIC again and again until its standard input ends. Then it prints a line: by how much
//! each has gone on, how fast the counter is, and how often one of them went back. A static Linux program without any library, so
//! that the bare-metal compiler can build it. Exit status 1: there is no such clock, 2: standard input cannot be waited for, 3: a
//! panic.
#![no_std]
#![no_main]

mod line;
mod linux;

use core::arch::{asm, naked_asm};

use line::Line;
use linux::{exit, input_ends, monotonic, write};

/// Reads of both clocks between two looks at standard input, which take a millisecond.
const READS: usize = 64;

/// Entry. What the kernel leaves at the stack pointer is of no use here.
#[unsafe(no_mangle)]
#[unsafe(naked)]
extern "C" fn _start() -> ! {
    naked_asm!("b {main}", main = sym main)
}

extern "C" fn main() -> ! {
    let first = [counter(), monotonic()];
    let (mut last, mut rounds, mut back) = (first, 0, 0);
    while !input_ends() {
        for _ in 0..READS {
            let now = [counter(), monotonic()];
            back += now.iter().zip(&last).filter(|(now, last)| now < last).count() as u64;
            last = now;
        }
        rounds += 1;
    }
    let [ticks, nanoseconds] = [last[0] - first[0], last[1] - first[1]];
    let mut line = Line::default();
    for (key, value) in
        [("ticks", ticks), ("hertz", frequency()), ("nanoseconds", nanoseconds), ("rounds", rounds), ("back", back)]
    {
        line.value(key, value);
    }
    write(line.end());
    exit(0)
}

fn counter() -> u64 {
    let value;
    // SAFETY: reads a counter, which Linux lets programs read (CNTKCTL_EL1.EL0VCTEN). The barrier keeps reads in their order.
    unsafe { asm!("isb", "mrs {}, cntvct_el0", out(reg) value, options(nomem, nostack)) };
    value
}

/// Ticks of the counter in a second.
fn frequency() -> u64 {
    let value;
    // SAFETY: reads a register that does not change, which Linux lets programs read.
    unsafe { asm!("mrs {}, cntfrq_el0", out(reg) value, options(nomem, nostack)) };
    value
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(3)
}
