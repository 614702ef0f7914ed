//! Ticks and nanoseconds.

/// Ticks of `frequency` Hz in nanoseconds, rounded down, without loss of precision for large values.
pub fn nanoseconds(ticks: u64, frequency: u64) -> u64 {
    let frequency = u128::from(frequency.max(1));
    u64::try_from(u128::from(ticks) * 1_000_000_000 / frequency).unwrap_or(u64::MAX)
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
}
