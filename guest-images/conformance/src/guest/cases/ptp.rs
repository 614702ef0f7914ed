//! The PTP call: a pair of wall clock and counter.

use conformance::profile::Profile;
use guest_runtime::counter;
use portcullis_abi::function::VENDOR_PTP;

use crate::guest::door::{Answer, Door, JUNK};
use crate::guest::{moves, report};

/// 2024-01-01 and 2100-01-01 in nanoseconds since 1970.
const YEARS: core::ops::Range<u64> = 1_704_067_200_000_000_000..4_102_444_800_000_000_000;
/// How far the wall clock may be from the counter between two reads, in nanoseconds: what rounding makes, or on a board whose
/// firmware tells the time the two clocks that there are then.
const DRIFT: u64 = 1_000_000;
/// How long a VM that is moved may be away between two reads, in nanoseconds.
const AWAY: u64 = 5_000_000_000;
/// The pauses in microseconds, a look of the hypervisor's at its clock apart and a second.
const PAUSES: [u64; 3] = [20_000, 300_000, 1_100_000];
/// How long the hypervisor may look for the moment at which its clock's seconds begin, in microseconds.
const PATIENCE: u64 = 10_000_000;

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

/// Waits until the time is told: until then the call is not supported. False: it never is.
pub fn wait(door: &Door) -> bool {
    counter::wait_until(PATIENCE, || door.call(VENDOR_PTP.into(), [0; 3]).x != NOT_TOLD)
}

/// The answer of a clock that does not know the time well enough yet: that of any call that is not supported.
const NOT_TOLD: [u64; 4] = [u64::MAX, 0, 0, 0];

/// The cases of this service.
pub fn run(door: &Door, profile: &Profile) {
    if !profile.has_ptp() {
        for argument in [0, 1, 2, JUNK] {
            door.refused(format_args!("ptp/denied {argument:#x}"), VENDOR_PTP.into(), [argument, 0, 0]);
        }
        return;
    }
    let told = wait(door);
    report::equal(format_args!("{}/ptp/is told", door.name()), true, told);
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
    let narrow = first.answer.x.iter().all(|word| word >> 32 == 0) && first.answer.changed.is_none();
    case("words", narrow, "four zero-extended words, with x4 to x30 kept", &first);
    case("year", YEARS.contains(&first.time()), "a time from 2024 to 2099", &first.time());
    case("counter", first.is_own(), "a count between the guest's own two reads", &first);
    // From the first time that it tells on, the clock goes as the counter does, and never steps.
    for pause in PAUSES {
        counter::delay(pause);
        let later = Reading::take(door, argument, count);
        let (time, ticks) = (later.time().wrapping_sub(first.time()), later.count().wrapping_sub(first.count()));
        let passed = (u128::from(ticks) * 1_000_000_000 / u128::from(counter::frequency())) as u64;
        let name = format_args!("{}/ptp/{name} after {pause}", door.name());
        report::holds(name, later.is_own(), "a count between the guest's own two reads", &later);
        // While the VM is away its counters stand still, and the time of day does not.
        let away = if moves::are_awaited() { AWAY } else { 0 };
        let steady = ticks < 1 << 63 && (passed.saturating_sub(DRIFT)..=passed + DRIFT + away).contains(&time);
        report::holds(name, steady, "time that passes as the counter does", &(first, later));
    }
}
