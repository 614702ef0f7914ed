//! The firmware's PTP call as a clock.

use core::marker::PhantomData;

use portcullis_abi::result::NOT_SUPPORTED;
use portcullis_arch::timer;
use portcullis_board::WallClock;
use portcullis_board::time::nanoseconds as ticks_to_nanoseconds;

use super::el3::El3;
use super::failure::Failure;
use super::ptp::{Counter, Moment, moment};

/// The clock of whoever answers PTP below.
pub struct El3Clock<E> {
    el3: PhantomData<fn() -> E>,
    counter: Counter,
    failure: Failure,
}

impl<E: El3> El3Clock<E> {
    /// A clock that tells the time with this counter.
    pub const fn new(counter: Counter) -> Self {
        Self { el3: PhantomData, counter, failure: Failure::new() }
    }

    fn at(&self, count: u64, frequency: u64) -> Option<u64> {
        let moment = moment::<E>(self.counter).filter(|moment| (count..=E::count()).contains(&moment.count));
        let Some(Moment { nanoseconds, count: later }) = moment else {
            self.failure.report("PTP", NOT_SUPPORTED as i32);
            return None;
        };
        let passed = ticks_to_nanoseconds(later.wrapping_sub(count), frequency);
        Some(nanoseconds.saturating_sub(passed))
    }
}

impl<E: El3> WallClock for El3Clock<E> {
    /// One call; its moment is a little later than `count`, and the time is taken back by as much.
    fn at(&self, count: u64) -> Option<u64> {
        self.at(count, timer::frequency())
    }

    fn tick(&self, _: u64) -> Option<u64> {
        None
    }

    fn name(&self) -> &'static str {
        "the firmware's PTP"
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fake, KVM};
    use super::*;

    #[test]
    fn time_is_that_of_the_counter_s_moment() {
        // The fake's clock stands at 2 * 10^18 ns + counter in ns, and each call takes it 100 ticks of 1 us.
        Fake::set(KVM);
        let clock = El3Clock::<Fake>::new(Counter::Physical);
        let count = Fake::count();
        assert_eq!(clock.at(count, 1_000_000), Some(2_000_000_000_000_000_000 + count * 1000));
    }

    #[test]
    fn a_clock_that_stops_telling_the_time_is_not_believed() {
        let clock = El3Clock::<Fake>::new(Counter::Physical);
        Fake::set(|_, x| [x[0]; 8]);
        assert_eq!(clock.at(Fake::count(), 1_000_000), None);
        Fake::set(KVM);
        assert_eq!(clock.at(u64::MAX / 2, 1_000_000), None, "the moment lies before the one that was asked for");
    }
}
