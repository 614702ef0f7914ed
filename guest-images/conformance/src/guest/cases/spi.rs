//! Shared peripheral interrupts, made pending by software.

use conformance::profile::Profile;
use guest_runtime::gic::{self, register::ISPENDR};
use guest_runtime::{counter, cpu};

use crate::guest::cases::distributor::SPARE;
use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::listener::with_listener;
use crate::guest::report;

/// The cases. Interrupts are masked but where a case lets them through.
pub fn run(profile: &Profile) {
    gic::set_edge(SPARE, true);
    gic::route(SPARE, 0);
    gic::enable(SPARE);

    interrupts::clear();
    gic::set_pending(SPARE);
    let before = gic::is_set(ISPENDR, SPARE);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    let got = (before, interrupts::count(0, SPARE), gic::is_set(ISPENDR, SPARE));
    report::equal(format_args!("spi/set pending"), (true, 1, false), got);

    interrupts::clear();
    gic::set_pending(SPARE);
    gic::clear_pending(SPARE);
    cpu::with_interrupts(|| counter::delay(2_000));
    report::equal(format_args!("spi/pending taken back"), 0, interrupts::total());

    interrupts::clear();
    gic::disable(SPARE);
    gic::set_pending(SPARE);
    cpu::with_interrupts(|| counter::delay(2_000));
    let held = interrupts::total();
    gic::enable(SPARE);
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::total() > 0));
    report::equal(format_args!("spi/disabled, then enabled"), (0, 1), (held, interrupts::count(0, SPARE)));

    if profile.cpus > 1 {
        elsewhere();
    }
    gic::disable(SPARE);
}

/// Routed to vCPU 1, also while pending.
fn elsewhere() {
    interrupts::clear();
    let worked = with_listener(|| {
        gic::route(SPARE, 1);
        gic::set_pending(SPARE);
        counter::wait_until(PATIENCE, || interrupts::count(1, SPARE) == 1);
        let got = (interrupts::count(0, SPARE), interrupts::count(1, SPARE));
        report::equal(format_args!("spi/routed to the other"), (0, 1), got);
        gic::route(SPARE, 0);
        gic::set_pending(SPARE);
        gic::route(SPARE, 1);
        counter::wait_until(PATIENCE, || interrupts::count(1, SPARE) == 2);
        let got = (interrupts::count(0, SPARE), interrupts::count(1, SPARE));
        report::equal(format_args!("spi/routed while pending"), (0, 2), got);
    });
    report::equal(format_args!("spi/listener"), true, worked);
    gic::route(SPARE, 0);
}
