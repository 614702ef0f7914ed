//! A vCPU that waits for its timer and for nothing else.

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic};
use portcullis_abi::map::TIMER_VIRTUAL_INTID as TIMER;

use crate::guest::{interrupts, report};

/// How late the timer may be, in microseconds.
const LATE: u64 = 1_000_000;

/// Most waits that one long wait may become.
const MOST_WAITS: u32 = 4;

/// One long wait. Where time is instructions and a machine that waits skips it, the run ends only if nobody computes
/// meanwhile, neither here nor below.
pub fn run(profile: &Profile) {
    interrupts::clear();
    gic::enable(TIMER);
    let (start, nap) = (counter::virtual_count(), profile.seconds * 1_000_000);
    let mut waits = 0;
    counter::arm(counter::ticks(nap), counter::CONTROL_ENABLE);
    while counter::control() & counter::CONTROL_STATUS == 0 {
        cpu::wait_for_interrupt();
        waits += 1;
    }
    let slept = counter::microseconds(counter::virtual_count() - start);
    cpu::with_interrupts(|| counter::wait_until(LATE, || interrupts::total() > 0));
    counter::set_control(0);
    report::holds(format_args!("idle/slept"), (nap..nap + LATE).contains(&slept), "the time asked for", &slept);
    report::equal(format_args!("idle/interrupts"), 1, interrupts::count(0, TIMER));
    // The architecture lets a wait end for nothing.
    report::holds(format_args!("idle/waits"), waits <= MOST_WAITS, "hardly more than one", &waits);
}
