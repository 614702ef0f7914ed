//! What happened between two looks. A count that went back is of a VM that was started or made anew meanwhile: what happened then
//! is not known, and nothing is said of it.

use super::sample::Sample;

/// The time between two looks at the machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    seconds: f64,
}

impl Interval {
    /// Between two looks; none if the machine's clock stood still.
    pub fn between(before: &Sample, now: &Sample) -> Option<Self> {
        let ([before, _], [now, frequency]) = (before.counter, now.counter);
        let ticks = now.checked_sub(before).filter(|ticks| *ticks != 0)?;
        (frequency != 0).then(|| Self { seconds: ticks as f64 / frequency as f64 })
    }

    /// How often a second something happened of which there were `before` and are `now`.
    pub fn rate(self, before: u64, now: u64) -> Option<f64> {
        Some(now.checked_sub(before)? as f64 / self.seconds)
    }

    /// Which part of the time, in per cent, was added to a time in nanoseconds that is the sum of so many vCPUs'. The clock is read
    /// before the times are: a look that takes longer than the one before would make more than all of it.
    pub fn share(self, before: u64, now: u64, vcpus: usize) -> Option<f64> {
        Some((self.rate(before, now)? / 1e7).min(100.0 * vcpus as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_are_of_the_time_between() {
        let interval = Interval { seconds: 2.0 };
        assert_eq!(interval.rate(10, 30), Some(10.0));
        assert_eq!(interval.share(500_000_000, 1_500_000_000, 1), Some(50.0));
    }

    #[test]
    fn what_went_back_is_not_known() {
        let interval = Interval { seconds: 2.0 };
        assert_eq!(interval.rate(30, 10), None);
        assert_eq!(interval.share(u64::MAX, 0, 1), None);
    }

    #[test]
    fn nothing_takes_more_than_all_of_the_time() {
        let interval = Interval { seconds: 2.0 };
        assert_eq!(interval.share(0, 2_040_000_000, 1), Some(100.0));
        assert_eq!(interval.share(0, 2_040_000_000, 2), Some(102.0));
        assert_eq!(interval.share(0, 4_080_000_000, 2), Some(200.0));
    }
}
