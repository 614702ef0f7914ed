//! Ranges of function identifiers as people write them.

use portcullis_abi::manage::FILTERS;

use crate::function;
use crate::number;
use crate::problem::Wrong;

/// The number of a filter's action; none for a word that is no action and no number.
pub fn action(word: &str) -> Option<u64> {
    let named = FILTERS.iter().position(|name| *name == word).map(|number| number as u64);
    named.or_else(|| number::parse(word))
}

/// First function and number of functions, as `FILTER_ADD` has them in x2.
///
/// # Errors
/// One of the words means none.
pub fn parse(base: &str, count: &str) -> Result<u64, Wrong> {
    let first = function::parse(base).ok_or_else(|| {
        Wrong::new(format_args!("{base:?} is no function: TRNG_VERSION, or a number up to 0xffffffff"))
    })?;
    let count = number::parse(count)
        .filter(|&number| u32::try_from(number).is_ok())
        .ok_or_else(|| Wrong::new(format_args!("{count:?} is no number up to 0xffffffff")))?;
    Ok(u64::from(first) | count << 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_function_and_a_number() {
        assert_eq!(parse("TRNG_VERSION", "4"), Ok(0x4_8400_0050));
        assert_eq!(parse("0xffffffff", "0xffff_ffff"), Ok(u64::MAX));
        for (base, count) in [("TRNG", "1"), ("0x1_0000_0000", "1"), ("0", "0x1_0000_0000"), ("0", "")] {
            assert!(parse(base, count).is_err(), "{base} {count}");
        }
        assert_eq!([action("deny"), action("7"), action("refuse")], [Some(1), Some(7), None]);
    }
}
