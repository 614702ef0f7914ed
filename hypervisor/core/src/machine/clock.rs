//! Time of day on a board that does not know it, as it was told: by EFI firmware at start, by the control VM at any time.

use core::sync::atomic::{AtomicI64, Ordering};

use portcullis_arch::timer;
use portcullis_board::WallClock;
use portcullis_board::time::nanoseconds;

/// Nobody has set the time. No time gives this: the earliest one is 1970, [`i64::MAX`] nanoseconds after the counter began.
const UNKNOWN: i64 = i64::MIN;

/// The clock that is set by who is told the time elsewhere.
///
/// All of it is one word, so a time is the old or the new one, and who tells it waits for nobody: neither for who sets it nor for
/// other VMs' calls. That the time was set is seen by who is told of it, and by others soon after.
#[derive(Debug)]
pub struct ManagedClock {
    /// Nanoseconds from 1970-01-01 UTC until the physical counter began to count.
    epoch: AtomicI64,
}

impl ManagedClock {
    /// A clock that knows nothing.
    pub const fn new() -> Self {
        Self { epoch: AtomicI64::new(UNKNOWN) }
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.epoch.load(Ordering::Relaxed) != UNKNOWN
    }

    /// Sets the time of day at the moment when the physical counter stood at `count`, in nanoseconds since 1970-01-01 UTC.
    pub fn set(&self, nanoseconds: u64, count: u64) {
        self.epoch.store(epoch(nanoseconds, count, timer::frequency()), Ordering::Relaxed);
    }

    #[cfg(any(test, feature = "rig"))]
    /// Forgets the time, for the next test.
    pub fn forget(&self) {
        self.epoch.store(UNKNOWN, Ordering::Relaxed);
    }
}

impl Default for ManagedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl WallClock for ManagedClock {
    fn at(&self, count: u64) -> Option<u64> {
        time(self.epoch.load(Ordering::Relaxed), count, timer::frequency())
    }

    fn tick(&self, _: u64) -> Option<u64> {
        None
    }

    fn name(&self) -> &'static str {
        "set by the control VM"
    }
}

/// The time of day at count 0, if it is `time` at `count`, with a counter of `frequency` Hz.
fn epoch(time: u64, count: u64, frequency: u64) -> i64 {
    let passed = i64::try_from(nanoseconds(count, frequency)).unwrap_or(i64::MAX);
    i64::try_from(time).unwrap_or(i64::MAX).saturating_sub(passed)
}

/// The time of day at `count`, by what [`epoch`] gave; it is 1970 at the earliest.
fn time(epoch: i64, count: u64, frequency: u64) -> Option<u64> {
    (epoch != UNKNOWN).then(|| nanoseconds(count, frequency).saturating_add_signed(epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_counter_and_saturates() {
        let at = |time, count, then| super::time(epoch(time, count, 1_000_000), then, 1_000_000);
        assert_eq!(at(100_000, 50, 50), Some(100_000));
        assert_eq!(at(100_000, 50, 53), Some(103_000));
        assert_eq!(at(100_000, 50, 0), Some(50_000));
        assert_eq!(at(1_000, 50, 0), Some(0), "1970 is the earliest");
        assert_eq!(super::time(epoch(i64::MAX as u64, 0, 1), u64::MAX, 1), Some(u64::MAX));
        assert_eq!(super::time(UNKNOWN, 5, 1_000_000), None);
        assert_ne!(epoch(0, u64::MAX, 1), UNKNOWN, "a time that is not told for none");
    }

    /// Two managers set it back and forth while others read: a time is one of the two, whole.
    #[test]
    fn a_time_is_never_made_of_two() {
        const TIMES: [u64; 2] = [0x1111_1111_1111_1111, 0x2222_2222_2222_2222];
        let clock = ManagedClock::new();
        assert_eq!((clock.is_set(), clock.at(0)), (false, None));
        std::thread::scope(|scope| {
            for time in TIMES {
                let clock = &clock;
                scope.spawn(move || (0..2_000).for_each(|_| clock.set(time, 0)));
                scope.spawn(move || {
                    for _ in 0..2_000 {
                        let told = clock.at(0);
                        assert!(told.is_none_or(|told| TIMES.contains(&told)), "{told:x?}");
                    }
                });
            }
        });
        assert!(clock.is_set());
    }
}
