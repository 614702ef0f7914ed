//! A VM that does its worst with the interrupt of a device that it drives itself: the line stays high for ever, and its second vCPU
//! ends what comes as fast as it goes, while the first one, whose core others have too, waits, and then is off. If the interrupt is
//! edge-triggered, the line makes edges as fast as it goes, whether or not those before were taken.
//!
//! Whether anybody notices is for the control VM to say.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu, gic, power};
use spin::Once;

use super::device::{self, uart::Uart};
use crate::guest::interrupts::PATIENCE;
use crate::guest::report;

/// The SGI by which the first vCPU is told to go off.
const SGI: u32 = 3;
/// How many interrupts the device must have brought in all: else nobody was attacked.
const LEAST: u32 = 100;

/// Edges that come one by one.
const EDGES: u32 = 50;

static INTID: AtomicU32 = AtomicU32::new(0);
static DEVICE: Once<(Uart, bool)> = Once::new();
/// When the attack ends, by the virtual counter.
static END: AtomicU64 = AtomicU64::new(0);
static GOES: AtomicBool = AtomicBool::new(false);

/// A name, and what is done to an interrupt again and again.
type Attack = (&'static str, fn(u32));

/// What the second vCPU does all the time.
const ATTACKS: [Attack; 4] = [
    ("ends it", |_| {}),
    ("sends it back and forth", |intid| {
        gic::route(intid, 0);
        gic::route(intid, 1);
    }),
    ("disables and enables it", |intid| {
        gic::disable(intid);
        gic::enable(intid);
    }),
    ("sends it to the first, and takes it back when it waits there", |intid| {
        gic::route(intid, 0);
        counter::delay(20);
        gic::route(intid, 1);
    }),
];

/// The attacks, each while the first vCPU waits and while it is off.
pub fn run(profile: &Profile) {
    let Some((uart, intid, edge)) = device::find(profile.node) else { return };
    INTID.store(intid, SeqCst);
    DEVICE.call_once(|| (uart, edge));
    gic::set_edge(intid, edge);
    END.store(counter::virtual_count() + counter::ticks(profile.seconds * 1_000_000), SeqCst);
    // Nobody quiets it.
    uart.set_interrupt(true);
    gic::enable(SGI);
    let launched = cpu::launch(1, attack, 0);
    if launched.is_err() {
        return report::equal(format_args!("disturb/start"), Ok(()), launched);
    }
    while !GOES.load(SeqCst) {
        cpu::wait_for_interrupt();
        cpu::with_interrupts(|| {});
    }
    power::cpu_off()
}

fn make_edge(uart: Uart) {
    uart.set_interrupt(false);
    uart.set_interrupt(true);
}

/// Every edge comes, and comes once.
fn one_by_one(uart: Uart, intid: u32) {
    let take = || {
        let taken = gic::acknowledge()?;
        gic::end(taken);
        (taken.intid == intid).then_some(())
    };
    // The one that the start has made.
    let _ = counter::wait_until(PATIENCE, || take().is_some());
    let mut came = 0;
    for _ in 0..EDGES {
        make_edge(uart);
        came += u32::from(counter::wait_until(PATIENCE, || take().is_some()));
        counter::delay(200);
        came += u32::from(take().is_some());
    }
    report::equal(format_args!("disturb/edges one by one"), EDGES, came);
}

fn attack() {
    gic::init_cpu();
    let (intid, end) = (INTID.load(SeqCst), END.load(SeqCst));
    let Some(&(uart, edge)) = DEVICE.get() else { return };
    gic::route(intid, 1);
    gic::enable(intid);
    if edge {
        one_by_one(uart, intid);
    }
    let start = counter::virtual_count();
    let part = end.saturating_sub(start) / (2 * ATTACKS.len() as u64);
    let mut all = 0;
    for (number, (name, step)) in ATTACKS.iter().cycle().take(2 * ATTACKS.len()).enumerate() {
        if number == ATTACKS.len() {
            GOES.store(true, SeqCst);
            gic::send(SGI, 1);
        }
        let mut came = 0;
        let until = start + part * (number as u64 + 1);
        while counter::virtual_count() < until {
            // With interrupts let through it would do nothing but take them.
            if let Some(interrupt) = gic::acknowledge() {
                came += u32::from(interrupt.intid == intid);
                gic::end(interrupt);
            }
            if edge {
                make_edge(uart);
            }
            step(intid);
        }
        console::line(format_args!("disturb: {name}: {came} interrupts"));
        all += came;
    }
    report::holds(format_args!("disturb/its interrupts came"), all >= LEAST, "some hundreds", &all);
    report::finish();
    power::off()
}
