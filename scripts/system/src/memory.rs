//! Amounts of memory: how the manifest writes them and how messages show them.

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
    match bytes {
        0 => "0".to_owned(),
        _ if bytes.is_multiple_of(GIB) => format!("{}G", bytes / GIB),
        _ if bytes.is_multiple_of(MIB) => format!("{}M", bytes / MIB),
        _ => bytes.to_string(),
    }
}

/// The amount for people: exact where it is round, else rounded up to a tenth of a unit.
pub fn show(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1024 => return format!("{bytes} bytes"),
        1024..MIB => (1024, "KiB"),
        MIB..GIB => (MIB, "MiB"),
        _ if bytes.is_multiple_of(GIB) => (GIB, "GiB"),
        _ => (MIB, "MiB"),
    };
    if bytes.is_multiple_of(unit) {
        return format!("{} {name}", bytes / unit);
    }
    // In 128 bits, because ten times the largest amount does not fit 64.
    let tenths = (u128::from(bytes) * 10).div_ceil(u128::from(unit));
    format!("{}.{} {name}", tenths / 10, tenths % 10)
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
        assert_eq!(form(4097), "4097");
        assert_eq!(form(0), "0");
    }

    #[test]
    fn shown_to_people() {
        assert_eq!(show(0), "0 bytes");
        assert_eq!(show(1023), "1023 bytes");
        assert_eq!(show(64 << 10), "64 KiB");
        assert_eq!(show((2 << 20) + 1), "2.1 MiB");
        assert_eq!(show(1536 << 20), "1536 MiB");
        assert_eq!(show(4 << 30), "4 GiB");
        assert_eq!(show(u64::MAX), "17592186044416.0 MiB");
    }
}
