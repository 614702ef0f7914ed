//! Amounts of memory: how the manifest writes them and how messages show them.

use portcullis_bundle::units::{Amount, Size};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Bytes of an amount in the manifest's form, `"256M"` or `"1G"`; none if `text` is not of that form or is too large.
pub fn parse(text: &str) -> Option<u64> {
    let (digits, unit) = match text.as_bytes().last()? {
        b'M' => (&text[..text.len() - 1], MIB),
        b'G' => (&text[..text.len() - 1], GIB),
        _ => return None,
    };
    // `u64::from_str` alone would take a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The amount in the manifest's own form: `256M`, `1G`, or bytes.
pub fn form(bytes: u64) -> String {
    Amount(bytes).to_string()
}

/// The amount for people: exact where it is round, else rounded up to a tenth of a unit.
pub fn show(bytes: u64) -> String {
    Size(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(parse("256M"), Some(256 << 20));
        assert_eq!(parse("1G"), Some(1 << 30));
        assert_eq!(parse("0M"), Some(0));
        for wrong in ["", "M", "256", "256m", "256MiB", "256MB", "-1M", "+1M", " 1M", "1 M", "0x1M", "1.5G", "1K"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
        assert_eq!(parse("17592186044415M"), Some(17_592_186_044_415 << 20));
        assert_eq!(parse("17592186044416M"), None, "2^64 bytes");
        assert_eq!(parse("é"), None);
    }

    #[test]
    fn round_trip_of_the_form() {
        for bytes in [2 << 20, 3 << 30, 1536 << 20] {
            assert_eq!(parse(&form(bytes)), Some(bytes));
        }
    }
}
