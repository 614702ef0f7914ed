//! Measures how a core changes over from one guest to another. It runs twice on the core: measured, and as its partner.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(not(target_os = "none"))]
fn main() {}

#[cfg(target_os = "none")]
mod guest {
    use core::arch::{asm, global_asm};

    use bench::configuration::{Configuration, flag};
    use bench::guest::console::Console;
    use bench::guest::{gic, measure};
    use bench::mark;
    use bench::sharing::Way;

    global_asm!(include_str!("../sharing.s"));

    unsafe extern "C" {
        safe fn go_by_waiting(ticks: u64, count: u64);
        safe fn come_by_interrupt(ticks: u64, count: u64);
        safe fn spin_going(ticks: u64);
        safe fn spin_coming(ticks: u64);
        safe fn spin_through(ticks: u64);
    }

    const NAME: &str = "switches";
    /// Longer than any run.
    const FOR_EVER: u64 = 1 << 62;
    /// Ticks after which the other guest has started.
    const BOTH_STARTED: u64 = 10_000_000;
    /// Switches that do not count: what they come across for the first time.
    const WARM_UP: u64 = 4;

    bench::main!(first, other);

    fn first(configuration: Configuration, _: u64) {
        let way = Way::ALL.into_iter().find(|way| configuration.tests == 1 << *way as u64);
        let Some(way) = way else { return };
        // As every guest with a system in it does, the partner too.
        if matches!(way, Way::Wait | Way::Interrupt) {
            gic::start_distributor(&configuration);
            gic::start_cpu(&configuration, 0);
        }
        if configuration.flags & flag::PARTNER != 0 {
            accompany(way);
        }
        let mut console = Console::new(&configuration);
        spin_coming(BOTH_STARTED);
        perform(way, WARM_UP);
        measure::end_test(mark::WARM_UP);
        perform(way, u64::from(configuration.count));
        measure::end_test(way as u64);
        measure::finish(&mut console, NAME);
    }

    fn other(_: Configuration, _: u64) {}

    /// What the measured guest does.
    fn perform(way: Way, count: u64) {
        match way {
            Way::Wait => go_by_waiting(way.ticks(), count),
            Way::Slice => spin_going(way.ticks() * count),
            Way::Interrupt => come_by_interrupt(way.ticks(), count),
            Way::Alone => spin_through(way.ticks()),
        }
    }

    /// What its partner does meanwhile.
    fn accompany(way: Way) -> ! {
        loop {
            match way {
                Way::Wait | Way::Slice => spin_coming(FOR_EVER),
                Way::Interrupt => spin_going(FOR_EVER),
                // SAFETY: waits, nothing else.
                Way::Alone => unsafe { asm!("wfi", options(nomem, nostack)) },
            }
        }
    }
}
