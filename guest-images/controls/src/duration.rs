//! Spans of time as people write them, and as counters have them.

use crate::number;
use crate::problem::Wrong;

/// Seconds of a day, the longest span that is taken.
const MOST: u64 = 86_400;

/// Microseconds of a number of seconds with up to six decimals, a day at the most.
///
/// # Errors
/// It is no such number.
pub fn parse(word: &str) -> Result<u64, Wrong> {
    let parse = || {
        let (whole, part) = word.split_once('.').unwrap_or((word, "0"));
        if part.len() > 6 || part.starts_with("0x") || part.contains('_') {
            return None;
        }
        let scale = 10_u64.pow(6 - part.len() as u32);
        let micros = number::parse(part)? * scale;
        number::parse(whole).filter(|&whole| whole <= MOST).map(|whole| whole * 1_000_000 + micros)
    };
    parse().ok_or_else(|| Wrong::new(format_args!("{word:?} is no number of seconds: 2 or 0.5, {MOST} at the most")))
}

/// Microseconds in `ticks` of a counter with `frequency` ticks a second.
pub fn microseconds(ticks: u64, frequency: u64) -> u64 {
    let whole = u128::from(ticks) * 1_000_000 / u128::from(frequency.max(1));
    u64::try_from(whole).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_decimals() {
        for (word, micros) in [("2", 2_000_000), ("0.5", 500_000), ("1.000001", 1_000_001), ("0", 0)] {
            assert_eq!(parse(word), Ok(micros), "{word}");
        }
        for word in ["", ".", "1.", "-1", "1.0000001", "86401", "18446744073709551615", "x", "1.0x1"] {
            assert!(parse(word).is_err(), "{word}");
        }
    }

    #[test]
    fn ticks_become_microseconds() {
        assert_eq!(microseconds(62_500_000, 62_500_000), 1_000_000);
        assert_eq!(microseconds(u64::MAX, 1), u64::MAX);
        assert_eq!(microseconds(5, 0), 5_000_000);
    }
}
