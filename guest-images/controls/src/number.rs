//! Numbers as people write them.

use core::fmt;

/// An amount of memory in bytes, shown in whole MiB, or KiB if it is less than one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.0 >> 20 {
            0 => write!(f, "{} KiB", self.0 >> 10),
            mebibytes => write!(f, "{mebibytes} MiB"),
        }
    }
}

/// A number, decimal or with `0x`; `_` may stand between digits.
pub fn parse(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let mut value: Option<u64> = None;
    for character in digits.chars().filter(|&character| character != '_') {
        let digit = character.to_digit(radix)?;
        value = Some(value.unwrap_or(0).checked_mul(u64::from(radix))?.checked_add(u64::from(digit))?);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_short() {
        for (bytes, shown) in [
            (0, "0 KiB"),
            (12_345, "12 KiB"),
            ((1 << 20) - 1, "1023 KiB"),
            (1 << 20, "1 MiB"),
            (1_647_376_384, "1571 MiB"),
        ] {
            assert_eq!(format!("{}", Bytes(bytes)), shown);
        }
    }

    #[test]
    fn both_bases_up_to_64_bits() {
        for (text, value) in [("0", 0), ("42", 42), ("0x2A", 42), ("0xffff_ffff_ffff_ffff", u64::MAX), ("1_000", 1000)]
        {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in ["", "0x", "_", "-1", "+1", "1x", "0xg", "18446744073709551616", "0x1_0000_0000_0000_0000", "é"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
