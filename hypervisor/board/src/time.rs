//! Ticks and nanoseconds.

/// Ticks of `frequency` Hz in nanoseconds, rounded down, without loss of precision for large values.
pub fn nanoseconds(ticks: u64, frequency: u64) -> u64 {
    let frequency = u128::from(frequency.max(1));
    u64::try_from(u128::from(ticks) * 1_000_000_000 / frequency).unwrap_or(u64::MAX)
}

/// Nanoseconds in ticks of `frequency` Hz, rounded up, so that [`nanoseconds`] has no fewer of them; none if they are too many.
pub fn ticks(nanoseconds: u64, frequency: u64) -> Option<u64> {
    u64::try_from((u128::from(nanoseconds) * u128::from(frequency)).div_ceil(1_000_000_000)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversion_is_exact_for_long_times() {
        assert_eq!(nanoseconds(54_000_000 * 86_400 * 365, 54_000_000), 86_400 * 365 * 1_000_000_000);
        assert_eq!(nanoseconds(1, 62_500_000), 16);
        assert_eq!(nanoseconds(u64::MAX, 1), u64::MAX);
        assert_eq!(nanoseconds(7, 0), 7_000_000_000);
    }

    #[test]
    fn there_and_back_is_never_less() {
        for frequency in [1, 62_500_000, 54_000_000, 1_000_000_000, u64::from(u32::MAX)] {
            for time in [0, 1, 15, 16, 17, 999_999_999, 1 << 40, 1 << 60] {
                let there = ticks(time, frequency).unwrap();
                assert!(nanoseconds(there, frequency) >= time, "{time} ns at {frequency} Hz");
                assert!(there == 0 || nanoseconds(there - 1, frequency) < time);
            }
        }
        assert_eq!(ticks(u64::MAX, 2_000_000_000), None);
    }
}
