//! Time of day on a board that does not know it, as the control VM sets it.

use portcullis_arch::timer;
use portcullis_board::WallClock;
use portcullis_board::time::nanoseconds;
use spin::mutex::TicketMutex;

/// A moment: time of day and physical counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    nanoseconds: u64,
    count: u64,
}

impl Moment {
    /// The time of day at `count`, with a counter of `frequency` Hz. Before the moment time stands still.
    fn at(self, count: u64, frequency: u64) -> u64 {
        self.nanoseconds.saturating_add(nanoseconds(count.saturating_sub(self.count), frequency))
    }
}

/// The clock that the control VM sets.
#[derive(Debug, Default)]
pub struct ManagedClock(TicketMutex<Option<Moment>>);

impl ManagedClock {
    /// A clock that knows nothing.
    pub const fn new() -> Self {
        Self(TicketMutex::new(None))
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.lock().is_some()
    }

    /// Sets the time of day at the moment when the physical counter stood at `count`, in nanoseconds since 1970-01-01 UTC.
    pub fn set(&self, nanoseconds: u64, count: u64) {
        *self.0.lock() = Some(Moment { nanoseconds, count });
    }

    #[cfg(test)]
    /// Forgets the time, for the next test.
    pub fn forget(&self) {
        *self.0.lock() = None;
    }
}

impl WallClock for ManagedClock {
    fn at(&self, count: u64) -> Option<u64> {
        let moment = *self.0.lock();
        moment.map(|moment| moment.at(count, timer::frequency()))
    }

    fn tick(&self, _: u64) -> Option<u64> {
        None
    }

    fn name(&self) -> &'static str {
        "set by the control VM"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_follows_the_counter_and_saturates() {
        let moment = Moment { nanoseconds: 1_000, count: 50 };
        assert_eq!(moment.at(50, 1_000_000), 1_000);
        assert_eq!(moment.at(53, 1_000_000), 4_000);
        assert_eq!(moment.at(0, 1_000_000), 1_000);
        assert_eq!(moment.at(u64::MAX, 1), u64::MAX);
    }
}
