//! A guest that computes all the time and says so: beside a misbehaving neighbour it shows whether that is noticed.

use conformance::profile::Profile;
use guest_runtime::{console, counter};

use crate::guest::report;

/// Time between two heartbeats in microseconds.
const PERIOD: u64 = 50_000;

/// Prints a heartbeat every 50 ms. The largest gap is the longest time between two looks at the counter while nothing
/// is printed, that is, the longest time for which this vCPU was held up.
///
/// Most heartbeats have to come within their period. Not all: an emulated machine stands still as a whole, for as long as it
/// likes, when its host has other work, and a guest cannot tell that from a neighbour. A neighbour that holds this vCPU up
/// does so again and again. What a single action of a neighbour costs is measured in instructions, by `scripts/bench`.
pub fn run(profile: &Profile) {
    let period = counter::ticks(PERIOD);
    let beats = profile.seconds * 1_000_000 / PERIOD;
    let (mut largest, mut late) = (0, 0);
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
        let now = counter::virtual_count();
        if now.saturating_sub(next) >= period {
            late += 1;
            // The next one is not late for the same reason.
            next = now;
        }
    }
    console::line(format_args!("busy: {beats} heartbeats, largest gap {} us", counter::microseconds(largest)));
    report::holds(format_args!("busy/on time"), late * 2 < beats, "most heartbeats within their period", &late);
}
