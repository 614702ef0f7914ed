//! The EL1 virtual timer and its interrupt.

use core::sync::atomic::{AtomicBool, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::counter::{self, CONTROL_ENABLE, CONTROL_MASK, CONTROL_STATUS};
use guest_runtime::gic::{self, register::ISENABLER, register::ISPENDR};
use guest_runtime::{cpu, mmio};
use portcullis_abi::map::TIMER_VIRTUAL_INTID as TIMER;

use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

/// The other vCPU has set its timer.
static ARMED: AtomicBool = AtomicBool::new(false);

/// Time until the timer fires, in microseconds.
const NAP: u64 = 5_000;
/// Fires in a row.
const ROUNDS: u32 = 20;

/// The cases. Interrupts are masked but where a case lets them through.
pub fn run(profile: &Profile) {
    let (first, second) = (counter::virtual_count(), counter::virtual_count());
    report::holds(format_args!("timer/count"), second >= first, "a count that does not fall", &(first, second));
    let hertz = counter::frequency();
    report::holds(
        format_args!("timer/frequency"),
        (1_000_000..=1_000_000_000).contains(&hertz),
        "1 MHz to 1 GHz",
        &hertz,
    );

    gic::enable(TIMER);
    wake();
    deliver();
    masked();
    disabled();
    counter::set_control(0);
    gic::disable(TIMER);
    // A vCPU has no access to another one's private interrupts in a GICv2.
    if profile.cpus > 1 && !profile.gicv2 {
        enabled_by_another();
    }
}

/// A vCPU waits for its timer, which has it enabled by another one, and only after it was due.
fn enabled_by_another() {
    interrupts::clear();
    let launched = cpu::launch(1, wait_for_timer, 0);
    let waits = counter::wait_until(PATIENCE, || ARMED.load(SeqCst));
    counter::delay(2 * NAP);
    mmio::write32(gic::redistributor(1) + 0x1_0000 + ISENABLER, 1 << TIMER);
    let woken = cpu::join(1, PATIENCE);
    let got = (launched.is_ok() && waits, woken, interrupts::count(1, TIMER));
    report::equal(format_args!("timer/enabled by another vCPU"), (true, true, 1), got);
}

fn wait_for_timer() {
    gic::init_cpu();
    counter::arm(counter::ticks(NAP), CONTROL_ENABLE);
    ARMED.store(true, SeqCst);
    while interrupts::count(1, TIMER) == 0 {
        cpu::wait_for_interrupt();
        cpu::with_interrupts(|| ());
    }
}

/// WFI ends by the timer although PSTATE masks its interrupt.
fn wake() {
    interrupts::clear();
    let start = counter::virtual_count();
    counter::arm(counter::ticks(NAP), CONTROL_ENABLE);
    while counter::control() & CONTROL_STATUS == 0 {
        cpu::wait_for_interrupt();
    }
    let slept = counter::microseconds(counter::virtual_count() - start);
    report::holds(
        format_args!("timer/wakes"),
        (NAP..PATIENCE).contains(&slept),
        "the time asked for, or a bit more",
        &slept,
    );
    report::equal(format_args!("timer/masked by PSTATE"), 0, interrupts::total());
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    report::equal(format_args!("timer/delivered once"), (1, 1), (interrupts::total(), interrupts::count(0, TIMER)));
}

fn deliver() {
    interrupts::clear();
    for round in 1..=ROUNDS {
        counter::arm(counter::ticks(1_000), CONTROL_ENABLE);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, TIMER) == round));
    }
    report::equal(format_args!("timer/in a row"), ROUNDS, interrupts::count(0, TIMER));
}

/// Whether the timer's condition is met. An emulator may be late to notice.
fn fired() -> bool {
    counter::control() & CONTROL_STATUS != 0
}

/// Masked in its own control register, the timer fires unheard.
fn masked() {
    interrupts::clear();
    counter::arm(counter::ticks(100), CONTROL_ENABLE | CONTROL_MASK);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, fired));
    let held = (interrupts::total(), fired());
    counter::set_control(CONTROL_ENABLE);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    report::equal(format_args!("timer/masked, then not"), ((0, true), 1), (held, interrupts::count(0, TIMER)));
}

/// Disabled in the redistributor it is pending as long as its condition holds.
fn disabled() {
    interrupts::clear();
    gic::disable(TIMER);
    counter::arm(counter::ticks(100), CONTROL_ENABLE);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, fired));
    let held = (interrupts::total(), gic::is_set(ISPENDR, TIMER));
    counter::set_control(0);
    let quiet = gic::is_set(ISPENDR, TIMER);
    gic::enable(TIMER);
    cpu::with_interrupts(|| counter::delay(2_000));
    let got = (held, quiet, interrupts::total());
    report::equal(format_args!("timer/disabled line follows the timer"), ((0, true), false, 0), got);
}
