//! The PTP call: a pair of wall clock and counter.

use conformance::profile::Profile;
use guest_runtime::counter;
use portcullis_abi::function::VENDOR_PTP;

use crate::guest::door::{Answer, Door, JUNK};
use crate::guest::report;

/// 2024-01-01 and 2100-01-01 in nanoseconds since 1970.
const YEARS: core::ops::Range<u64> = 1_704_067_200_000_000_000..4_102_444_800_000_000_000;
/// How far the wall clock may run from the counter over the pause between two reads, in nanoseconds.
const DRIFT: u64 = 1_000_000;
/// The pause in microseconds.
const PAUSE: u64 = 20_000;

/// One answer with the guest's own counter before and after.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    answer: Answer,
    before: u64,
    after: u64,
}

impl Reading {
    /// Makes the call about the counter `argument`, which the guest reads by `count`.
    pub fn take(door: &Door, argument: u64, count: fn() -> u64) -> Self {
        let before = count();
        let answer = door.call(VENDOR_PTP.into(), [argument, 0, 0]);
        Self { answer, before, after: count() }
    }

    /// Nanoseconds since 1970.
    pub fn time(&self) -> u64 {
        self.answer.x[0] << 32 | self.answer.x[1] & 0xffff_ffff
    }

    /// The counter.
    pub fn count(&self) -> u64 {
        self.answer.x[2] << 32 | self.answer.x[3] & 0xffff_ffff
    }

    /// Whether the call's counter is the guest's own.
    pub fn is_own(&self) -> bool {
        (self.before..=self.after).contains(&self.count())
    }
}

/// The cases of this service.
pub fn run(door: &Door, profile: &Profile) {
    if !profile.has_ptp() {
        for argument in [0, 1, 2, JUNK] {
            door.refused(format_args!("ptp/denied {argument:#x}"), VENDOR_PTP.into(), [argument, 0, 0]);
        }
        return;
    }
    for argument in [2, 3, 0x8000_0000, 0xffff_ffff, JUNK | 2] {
        door.refused(format_args!("ptp/bad counter {argument:#x}"), VENDOR_PTP.into(), [argument, 0, 0]);
    }
    clock(door, "virtual", 0, counter::virtual_count);
    clock(door, "virtual, upper x1", JUNK, counter::virtual_count);
    clock(door, "physical", 1, counter::physical_count);
}

fn clock(door: &Door, name: &str, argument: u64, count: fn() -> u64) {
    let case = |what: &str, holds: bool, expected: &str, got: &dyn core::fmt::Debug| {
        report::holds(format_args!("{}/ptp/{name} {what}", door.name()), holds, expected, got);
    };
    let first = Reading::take(door, argument, count);
    counter::delay(PAUSE);
    let second = Reading::take(door, argument, count);
    let narrow = first.answer.x.iter().all(|word| word >> 32 == 0) && first.answer.changed.is_none();
    case("words", narrow, "four zero-extended words, with x4 to x30 kept", &first);
    case("year", YEARS.contains(&first.time()), "a time from 2024 to 2099", &first.time());
    for reading in [first, second] {
        case("counter", reading.is_own(), "a count between the guest's own two reads", &reading);
    }
    // The hypervisor learns where its clock's seconds begin while guests run already: its time steps once, forward and by
    // less than a second. So one of two pauses in a row passes as the counter does.
    counter::delay(PAUSE);
    let third = Reading::take(door, argument, count);
    let steady = [(&first, &second), (&second, &third)].iter().any(|(from, to)| {
        let time = to.time().wrapping_sub(from.time());
        let ticks = u128::from(to.count().wrapping_sub(from.count()));
        time.abs_diff((ticks * 1_000_000_000 / u128::from(counter::frequency())) as u64) <= DRIFT
    });
    let time = second.time().wrapping_sub(first.time());
    let ticks = second.count().wrapping_sub(first.count());
    case("monotonic", time < 1 << 63 && time > 0 && ticks < 1 << 63, "a later second reading", &(first, second));
    case("rate", steady, "time that passes as the counter does", &(first, second, third));
}
