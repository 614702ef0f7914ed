//! Neighbours that do their worst.

use core::arch::asm;

use guest_mmio::{read32, write32};

use crate::configuration::Configuration;
use crate::guest::frame::frame;
use crate::guest::{flood, gic, start};
use crate::sharing::{FRAME, Storm};

/// Ticks of a microsecond.
const MICROSECOND: u64 = 1_000;
/// Ticks before a window that are left for a reset.
const LEAD: u64 = 3 * MICROSECOND / 2;
/// Glyphs of a line that a hypervisor keeps until it ends.
const UNFINISHED: usize = 95;
/// SGI 5 to the vCPU itself.
const SGI_TO_SELF: u64 = 5 << 24 | 1;
/// Glyphs in a line of output, and its end: more than a hypervisor keeps, and not a multiple of that.
const LINE: u32 = 505;
const NEWLINE: u32 = b'\n' as u32;
/// A glyph of two bytes, U+00A0: it takes a console longer to look through these than letters, or what is no UTF-8.
const GLYPH: [u32; 2] = [0xc2, 0xa0];

/// The first block of the flash that takes commands.
const BLOCK: u64 = 0x0400_0000;
/// Commands to both parts: erase, program through the buffer, confirm, show the cells.
const ERASE: u32 = 0x20_0020;
const BUFFERED: u32 = 0xe8_00e8;
const CONFIRM: u32 = 0xd0_00d0;
const READ_ARRAY: u32 = 0xff_00ff;
/// The buffer's last word, and what counts two of its words.
const LAST_WORD: u64 = 0x7fc;
const TWO: u32 = 0x1_0001;
/// What both parts show when they are ready.
const READY: u32 = 0x80_0080;

/// What is denied, AFFINITY_INFO of itself, TRNG_RND64 of 192 bits, the virtual clock.
const CALLS: [[u64; 4]; 4] =
    [[0x8600_beef, 0, 0, 0], [0xc400_0004, 0, 0, 0], [0xc400_0053, 192, 0, 0], [0x8600_0001, 0, 0, 0]];
const CPU_OFF: [u64; 4] = [0x8400_0002, 0, 0, 0];
const SYSTEM_RESET: [u64; 4] = [0x8400_0009, 0, 0, 0];

/// The first vCPU of a neighbour.
pub fn rage(configuration: &Configuration, storm: Storm) -> ! {
    if storm != Storm::Resets {
        gic::start_distributor(configuration);
        gic::start_cpu(configuration, 0);
    }
    let mut number = 0;
    loop {
        match storm {
            Storm::Interrupts => send_to_self(),
            Storm::Calls => CALLS.into_iter().for_each(|call| _ = start::psci(configuration, call)),
            Storm::Waits => wait_for_timer(),
            Storm::Distributor => touch_distributor(configuration),
            Storm::Output => {
                number += 1;
                if number % LINE == 0 {
                    write32(configuration.uart, NEWLINE);
                    pause();
                } else {
                    GLYPH.into_iter().for_each(|byte| write32(configuration.uart, byte));
                }
            }
            Storm::Timer => set_timer(),
            Storm::Resets => {
                if frame().0.is_multiple_of(2) {
                    end_with_a_line(configuration);
                }
                _ = start::psci(configuration, SYSTEM_RESET);
            }
            Storm::Power => {
                start::cpu_on(configuration, 1);
                // The other one, on the same core, has its turn.
                wait_for_timer();
            }
            Storm::Flash => change_flash(),
            Storm::Links => flood::rage(configuration),
        }
    }
}

/// The second vCPU of a neighbour.
pub fn go_off(configuration: &Configuration) {
    start::psci(configuration, CPU_OFF);
}

fn send_to_self() {
    // SAFETY: the handler of the interrupt uses these registers only.
    unsafe {
        asm!("msr S3_0_C12_C11_5, {}", "isb", "msr daifclr, #2", "isb", "msr daifset, #2", in(reg) SGI_TO_SELF,
            out("x14") _, out("x15") _, out("x16") _, out("x17") _, options(nostack));
    }
}

/// Sets the virtual timer one microsecond ahead.
fn arm_timer() {
    // SAFETY: the timer is this guest's own.
    unsafe {
        asm!("mrs {at}, cntvct_el0", "add {at}, {at}, {ticks}", "msr cntv_cval_el0, {at}", "mov {at}, #1",
            "msr cntv_ctl_el0, {at}", "isb", at = out(reg) _, ticks = in(reg) MICROSECOND, options(nomem, nostack));
    }
}

fn wait_for_timer() {
    arm_timer();
    // SAFETY: the handler of the interrupt uses these registers only.
    unsafe {
        asm!("wfi", "msr daifclr, #2", "isb", "msr daifset, #2",
            out("x14") _, out("x15") _, out("x16") _, out("x17") _, options(nostack));
    }
}

/// Sets the timer, and again when it has interrupted.
fn set_timer() {
    arm_timer();
    // SAFETY: as above; the handler leaves 1 in x15.
    unsafe {
        asm!("mov x15, #0", "msr daifclr, #2", "2: cbz x15, 2b", "msr daifset, #2",
            out("x14") _, out("x15") _, out("x16") _, out("x17") _, options(nostack));
    }
}

/// Spins for up to 65 microseconds, not always as long: else what is written might be in step with the windows.
fn pause() {
    // SAFETY: reads a register.
    unsafe {
        asm!("mrs {ticks}, cntvct_el0", "and {ticks}, {ticks}, #0xffff", "2: subs {ticks}, {ticks}, #2", "b.hi 2b",
            ticks = out(reg) _, options(nomem, nostack));
    }
}

/// Leaves an unfinished line that is as long as can be, just before a window begins.
fn end_with_a_line(configuration: &Configuration) {
    for _ in 0..UNFINISHED {
        GLYPH.into_iter().for_each(|byte| write32(configuration.uart, byte));
    }
    while frame().1 < FRAME - LEAD {}
}

/// Erases a block, and fills a part of it eight times. What lies between two words of the buffer is programmed with them.
fn change_flash() {
    write32(BLOCK, ERASE);
    write32(BLOCK, CONFIRM);
    while read32(BLOCK) & READY != READY {}
    for _ in 0..8 {
        write32(BLOCK, BUFFERED);
        write32(BLOCK, TWO);
        write32(BLOCK, 0);
        write32(BLOCK + LAST_WORD, 0);
        write32(BLOCK, CONFIRM);
    }
    write32(BLOCK, READ_ARRAY);
}

fn touch_distributor(configuration: &Configuration) {
    let bank = u64::from(configuration.interrupt / 32) * 4;
    let bit = 1 << (configuration.interrupt % 32);
    read32(configuration.distributor + gic::TYPER);
    write32(configuration.distributor + gic::ISENABLER + bank, bit);
    write32(configuration.distributor + gic::ICENABLER + bank, bit);
    write32(configuration.redistributors + gic::SGI_FRAME + gic::ISENABLER, 1 << gic::TIMER);
}
