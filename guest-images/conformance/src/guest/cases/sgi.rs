//! Software-generated interrupts: to itself, to the other vCPU, to all others, and more at once than there are list
//! registers.

use conformance::profile::Profile;
use guest_runtime::gic::{self, register::ISPENDR};
use guest_runtime::{counter, cpu};

use crate::guest::cases::distributor::SPARE;
use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::listener::{ANSWER, QUESTION, with_listener};
use crate::guest::report;

/// An SGI that nobody answers.
const BROADCAST: u32 = 9;

/// The cases. Interrupts are masked but where a case lets them through.
pub fn run(profile: &Profile) {
    for sgi in 0..16 {
        gic::enable(sgi);
    }
    own();
    // Those of a GICv2 are always enabled.
    if !profile.gicv2 {
        disabled();
    }
    order();
    if profile.cpus > 1 {
        others();
    }
    for sgi in 0..16 {
        gic::disable(sgi);
    }
}

fn own() {
    for sgi in [0, 7, 15] {
        interrupts::clear();
        gic::send(sgi, 1);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
        let got = (interrupts::total(), interrupts::count(0, sgi));
        report::equal(format_args!("sgi/{sgi} to itself"), (1, 1), got);
    }
}

/// A disabled SGI stays pending until it is enabled.
fn disabled() {
    interrupts::clear();
    gic::disable(3);
    gic::send(3, 1);
    cpu::with_interrupts(|| counter::delay(2_000));
    let held = (interrupts::total(), gic::is_set(ISPENDR, 3));
    gic::enable(3);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    report::equal(format_args!("sgi/disabled, then enabled"), ((0, true), 1), (held, interrupts::count(0, 3)));
}

/// Sixteen SGIs and an SPI pending at once arrive by priority, whatever the order in which they came.
fn order() {
    let sender = |position: u32| position * 7 % 16;
    let rank = |sgi: u32| (sgi * 5 + 3) % 16;
    interrupts::clear();
    gic::set_edge(SPARE, true);
    gic::route(SPARE, 0);
    gic::set_priority(SPARE, 0x78);
    gic::enable(SPARE);
    for position in 0..16 {
        let sgi = sender(position);
        gic::set_priority(sgi, (rank(sgi) * 0x10) as u8);
        gic::send(sgi, 1);
        if position == 8 {
            gic::set_pending(SPARE);
        }
    }
    let pending = (0..16).filter(|&sgi| gic::is_set(ISPENDR, sgi)).count();
    report::equal(format_args!("sgi/sixteen pending"), 16, pending);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() >= 17));
    // Ranks 0 to 7 are more urgent than 0x78, the others less.
    let mut expected = [SPARE; 17];
    for sgi in 0..16 {
        let place = rank(sgi) as usize;
        expected[if place < 8 { place } else { place + 1 }] = sgi;
    }
    let mut got = [u32::MAX; 17];
    for (position, slot) in got.iter_mut().enumerate() {
        *slot = interrupts::arrived(position).unwrap_or(u32::MAX);
    }
    report::equal(format_args!("sgi/order of priority"), expected, got);
    gic::disable(SPARE);
    for intid in (0..16).chain([SPARE]) {
        gic::set_priority(intid, gic::PRIORITY_DEFAULT);
    }
}

fn others() {
    interrupts::clear();
    let worked = with_listener(|| {
        for round in 1..=3 {
            gic::send(QUESTION, 1 << 1);
            cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, ANSWER) == round));
            let got = (interrupts::count(0, QUESTION), interrupts::count(1, QUESTION), interrupts::count(0, ANSWER));
            report::equal(format_args!("sgi/to the other and back, round {round}"), (0, round, round), got);
        }
        gic::send_to_others(BROADCAST);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(1, BROADCAST) > 0));
        let got = (interrupts::count(0, BROADCAST), interrupts::count(1, BROADCAST));
        report::equal(format_args!("sgi/to all others"), (0, 1), got);
        gic::send(BROADCAST, 0b11);
        let both = || interrupts::count(0, BROADCAST) > 0 && interrupts::count(1, BROADCAST) > 1;
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, both));
        let got = (interrupts::count(0, BROADCAST), interrupts::count(1, BROADCAST));
        report::equal(format_args!("sgi/to both"), (1, 2), got);
    });
    report::equal(format_args!("sgi/listener"), true, worked);
}
