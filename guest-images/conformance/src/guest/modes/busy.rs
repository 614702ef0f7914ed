//! A guest that computes all the time and says so: beside a misbehaving neighbour it shows whether that is noticed.

use conformance::profile::Profile;
use guest_runtime::{console, counter};

use crate::guest::report;

/// Time between two heartbeats in microseconds.
const PERIOD: u64 = 50_000;

/// Prints a heartbeat every 50 ms. The largest gap is the longest time between two looks at the counter while nothing
/// is printed, that is, the longest time for which this vCPU was held up.
pub fn run(profile: &Profile) {
    let period = counter::ticks(PERIOD);
    let beats = profile.seconds * 1_000_000 / PERIOD;
    let mut largest = 0;
    let mut next = counter::virtual_count();
    for beat in 0..beats {
        next += period;
        let mut last = counter::virtual_count();
        while last < next {
            let now = counter::virtual_count();
            largest = largest.max(now - last);
            last = now;
        }
        console::line(format_args!("heartbeat {beat} {} us late", counter::microseconds(last - next)));
    }
    let late = counter::microseconds(counter::virtual_count().saturating_sub(next));
    console::line(format_args!("busy: {beats} heartbeats, largest gap {} us", counter::microseconds(largest)));
    report::holds(format_args!("busy/on time"), late < PERIOD, "the last heartbeat within its period", &late);
}
