//! A VM that is saved, stopped, made anew and restored, as its guest sees it: it goes on where it was, with all that it had.
//!
//! The control VM does that [`MOVES`] times while the first vCPU is busy and the second one waits for its timer. A move is seen
//! as a jump of the time of day, which PTP tells: both counters stand still. The run is for a machine whose time is its
//! instructions: nothing else makes that jump.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic, mmio, power};
use portcullis_abi::function::{PSCI_VERSION, PV_TIME_ST};
use portcullis_abi::map::{
    TIMER_PHYSICAL_INTID as PHYSICAL_TIMER, TIMER_VIRTUAL_INTID as TIMER, VM_CLOCK, VM_CLOCK_INTID, VM_GENERATION,
    VM_GENERATION_INTID,
};

use super::steal::stolen_of;
use crate::guest::cases::ptp::{self, Reading};
use crate::guest::door::Door;
use crate::guest::{interrupts, report};

/// How often the VM is moved.
const MOVES: u32 = 2;
/// The shortest that it is away, in microseconds.
const AWAY: u64 = 500_000;
/// How far the virtual counter may go over a move, and how late an interrupt may be, in microseconds.
const TURNS: u64 = 100_000;
/// When the timers of the first and of the second vCPU fire, by the virtual counter: after both moves, and between them at the
/// earliest.
const BUSY: u64 = 8_000_000;
const WAIT: u64 = 5_700_000;
/// When the run ends, whatever came.
const PATIENCE: u64 = 12_000_000;
/// Memory that only this guest writes, a page with nothing but its last word, and one with nothing in it.
static PATTERN: [AtomicU64; 3 * 512] = [const { AtomicU64::new(0) }; 3 * 512];
/// What TPIDR_EL0 and TPIDRRO_EL0 hold meanwhile.
const THREAD: [u64; 2] = [0x1122_3344_5566_7788, 0x99aa_bbcc_ddee_ff00];

/// What the guest sees of a move.
#[derive(Debug, Default)]
struct Seen {
    moves: u32,
    /// Over all moves so much time has passed, in microseconds.
    away: u64,
    /// Over all moves both counters went so far, in ticks.
    physical: u64,
    r#virtual: u64,
    /// Stolen time went back.
    went_back: bool,
    /// The virtual counter when the timer's interrupt was seen, and the physical one when that of the physical timer was.
    fired: u64,
    fired_physical: u64,
}

/// The interrupts by which it is told that it was restored.
const TOLD: [u32; 2] = [VM_GENERATION_INTID, VM_CLOCK_INTID];

/// What it is told of its restores: the identifier of its generation, and of its clock's page (Linux
/// `include/uapi/linux/vmclock-abi.h`) magic, version, and what changes.
#[derive(Debug)]
struct Generation {
    identifier: [u64; 2],
    known: [u64; 3],
    sequence: u32,
    jumps: u64,
    restores: u64,
}

impl Generation {
    /// "VCLK" and the page's bytes; version 1, with a counter of which nothing is told; a count of restores, and an interrupt.
    const KNOWN: [u64; 3] = [0x1000_4b4c_4356, 0xff_0001, 0x300];

    fn here() -> Self {
        let word = |at: u64| u64::from(mmio::read32(at)) | u64::from(mmio::read32(at + 4)) << 32;
        let clock = |offset: u64| word(VM_CLOCK + offset);
        Self {
            identifier: [word(VM_GENERATION), word(VM_GENERATION + 8)],
            known: [clock(0), clock(8) & 0xffff_ffff, clock(0x18)],
            sequence: (clock(8) >> 32) as u32,
            jumps: clock(0x10),
            restores: clock(0x68),
        }
    }
}

/// The cases.
pub fn run(profile: &Profile) {
    if profile.cpus > 1 {
        report::equal(format_args!("moved/start vCPU 1"), Ok(()), cpu::launch(1, wait, 0));
    }
    let door = Door::new(power::conduit());
    let version = door.call(PSCI_VERSION.into(), [0; 3]);
    report::equal(format_args!("moved/the time of day is told"), true, ptp::wait(&door));
    let _ = door.call(PV_TIME_ST.into(), [0; 3]);
    for (at, word) in PATTERN.iter().enumerate().filter(|(at, _)| *at < 512 || *at == 1023) {
        word.store(pattern(at), Relaxed);
    }
    set_threads(THREAD);
    interrupts::clear();
    gic::enable(TIMER);
    let deadline = counter::virtual_count() + counter::ticks(BUSY);
    counter::arm(counter::ticks(BUSY), counter::CONTROL_ENABLE);
    gic::enable(PHYSICAL_TIMER);
    let told = Generation::here();
    for intid in TOLD {
        gic::set_edge(intid, true);
        gic::route(intid, 0);
        gic::enable(intid);
    }
    let physical_deadline = counter::physical_count() + counter::ticks(BUSY);
    counter::arm_physical(counter::ticks(BUSY), counter::CONTROL_ENABLE);
    let seen = cpu::with_interrupts(|| watch(&door, profile.cpus));
    counter::set_control(0);
    counter::set_physical_control(0);
    report::equal(format_args!("moved/moves"), MOVES, seen.moves);
    let now = Generation::here();
    report::equal(format_args!("moved/the clock is one"), Generation::KNOWN, now.known);
    report::equal(format_args!("moved/its sequence is even"), 0, now.sequence & 1);
    let moves = u64::from(MOVES);
    let marks = [now.jumps.wrapping_sub(told.jumps), now.restores.wrapping_sub(told.restores)];
    report::equal(format_args!("moved/it is told of each restore"), [moves; 2], marks);
    let is_new = now.identifier != told.identifier && now.identifier != [0; 2];
    let name = format_args!("moved/its generation is another one");
    report::holds(name, is_new, "another identifier", &(told.identifier, now.identifier));
    let edges = TOLD.map(|intid| u64::from(interrupts::count(0, intid)));
    report::equal(format_args!("moved/an interrupt of each comes with each restore"), [moves; 2], edges);
    let away = seen.away >= AWAY * u64::from(MOVES);
    report::holds(format_args!("moved/it was away"), away, "each time in full", &seen);
    let still = seen.r#virtual < counter::ticks(TURNS) * u64::from(MOVES);
    report::holds(format_args!("moved/the virtual counter stands still"), still, "no move", &seen);
    let still = seen.physical < counter::ticks(TURNS) * u64::from(MOVES);
    report::holds(format_args!("moved/the physical counter stands still"), still, "no move", &seen);
    let in_time = (physical_deadline..physical_deadline + counter::ticks(TURNS)).contains(&seen.fired_physical);
    let name = format_args!("moved/the physical timer fires when its counter is there, once");
    let once = interrupts::count(0, PHYSICAL_TIMER) == 1;
    report::holds(name, in_time && once, "soon after the deadline", &(physical_deadline, seen.fired_physical));
    let in_time = (deadline..deadline + counter::ticks(TURNS)).contains(&seen.fired);
    let name = format_args!("moved/the virtual timer fires when its counter is there, once");
    report::holds(
        name,
        in_time && interrupts::count(0, TIMER) == 1,
        "soon after the deadline",
        &(deadline, seen.fired),
    );
    report::equal(format_args!("moved/stolen time, counters and time of day go on"), false, seen.went_back);
    let wrong = PATTERN.iter().enumerate().find(|(at, word)| word.load(Relaxed) != expected(*at));
    report::equal(format_args!("moved/memory is as it was"), None, wrong.map(|(at, _)| at));
    report::equal(format_args!("moved/registers are as they were"), THREAD, threads());
    let now = door.call(PSCI_VERSION.into(), [0; 3]);
    report::equal(format_args!("moved/the firmware answers as before"), version, now);
    if profile.cpus > 1 {
        report::equal(format_args!("moved/end vCPU 1"), true, cpu::join(1, PATIENCE));
    }
}

const fn pattern(at: usize) -> u64 {
    (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const fn expected(at: usize) -> u64 {
    if at < 512 || at == 1023 { pattern(at) } else { 0 }
}

fn watch(door: &Door, cpus: usize) -> Seen {
    let mut seen = Seen::default();
    let look = || {
        let time = Reading::take(door, 0, counter::virtual_count).time() / 1000;
        [counter::virtual_count(), counter::physical_count(), stolen_of(0), time]
    };
    let mut last = look();
    counter::wait_until(PATIENCE, || {
        let now = look();
        let [r#virtual, physical, _, passed] = [0, 1, 2, 3].map(|what| now[what].wrapping_sub(last[what]));
        if passed > AWAY / 2 {
            seen.moves += 1;
            seen.away += passed;
            seen.physical += physical;
            seen.r#virtual += r#virtual;
        }
        seen.went_back |= now.iter().zip(&last).any(|(now, last)| now < last);
        if seen.fired == 0 && interrupts::count(0, TIMER) != 0 {
            seen.fired = counter::virtual_count();
        }
        if seen.fired_physical == 0 && interrupts::count(0, PHYSICAL_TIMER) != 0 {
            seen.fired_physical = counter::physical_count();
        }
        last = now;
        seen.fired != 0 && seen.fired_physical != 0 && (cpus < 2 || cpu::is_done(1))
    });
    seen
}

/// The second vCPU, which waits for its timer over the moves.
fn wait() {
    gic::init_cpu();
    gic::enable(TIMER);
    let start = counter::virtual_count();
    counter::arm(counter::ticks(WAIT), counter::CONTROL_ENABLE);
    while counter::control() & counter::CONTROL_STATUS == 0 {
        cpu::wait_for_interrupt();
    }
    let waited = counter::microseconds(counter::virtual_count() - start);
    counter::set_control(0);
    let right = (WAIT..WAIT + TURNS).contains(&waited);
    report::holds(format_args!("moved/vCPU 1 waits as long as its counter says"), right, "its wait", &waited);
}

fn set_threads([own, shared]: [u64; 2]) {
    // SAFETY: nothing here goes by them.
    unsafe { asm!("msr tpidr_el0, {}", "msr tpidrro_el0, {}", in(reg) own, in(reg) shared, options(nomem, nostack)) };
}

fn threads() -> [u64; 2] {
    let (own, shared): (u64, u64);
    // SAFETY: they are read and nothing else.
    unsafe { asm!("mrs {}, tpidr_el0", "mrs {}, tpidrro_el0", out(reg) own, out(reg) shared, options(nomem, nostack)) };
    [own, shared]
}
