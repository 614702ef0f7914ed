//! Lengths of time: how the manifest writes them and how messages show them. All are whole microseconds.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::Diagnostics;
use super::section::Section;

/// The units, the smallest first, in microseconds.
const UNITS: [(&str, u64); 3] = [("us", 1), ("ms", 1_000), ("s", 1_000_000)];

/// Microseconds of a time in the manifest's form, such as `"5ms"`; none if `text` is not of that form or is too large.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let (_, factor) = UNITS.into_iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
    // `u64::from_str` alone would take a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// The time in the manifest's own form, in the largest unit that it is whole in.
pub fn show(microseconds: u64) -> String {
    let whole = |(_, factor): &&(&str, u64)| microseconds.is_multiple_of(*factor) && microseconds >= *factor;
    let (unit, factor) = UNITS.iter().rev().find(whole).unwrap_or(&UNITS[0]);
    format!("{}{unit}", microseconds / factor)
}

/// The time that `value`, at `key` of `section`, says; anything else is reported. `noun` is what it is, with its article,
/// and `range` what it may be.
pub fn read(
    section: &Section<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    noun: &str,
    range: RangeInclusive<u32>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Spanned<u32>> {
    let DeValue::String(text) = value.get_ref() else {
        return section.wrong_type(key, value, "a time like \"5ms\"", diagnostics);
    };
    let Some(time) = parse(text) else {
        let help = r#"write a whole number of us, ms or s, like "500us", "5ms" or "1s""#;
        diagnostics.error(value.span(), format!("{text:?} is not a time"), help);
        return None;
    };
    match u32::try_from(time) {
        Ok(time) if range.contains(&time) => Some(Spanned::new(value.span(), time)),
        _ => {
            let (least, most) = (show(u64::from(*range.start())), show(u64::from(*range.end())));
            diagnostics.error(
                value.span(),
                format!("{noun} of {}", show(time)),
                format!("{noun} is {least} to {most}"),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, time) in [
            ("5ms", 5_000),
            ("100us", 100),
            ("1s", 1_000_000),
            ("0us", 0),
            ("18446744073709s", 18_446_744_073_709_000_000),
        ] {
            assert_eq!(parse(text), Some(time), "{text:?}");
        }
        let wrong = [
            "",
            "5",
            "ms",
            "5 ms",
            "5MS",
            "5m",
            "-5ms",
            "+5ms",
            "1.5ms",
            "0x5ms",
            "5ns",
            "5msms",
            "18446744073710s",
            "é",
            "5µs",
        ];
        for text in wrong {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn shown_in_the_largest_whole_unit() {
        for text in ["0us", "1us", "999us", "1ms", "1500us", "10ms", "1s", "1001ms"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
        assert_eq!((show(1_000), show(60_000_000)), ("1ms".to_owned(), "60s".to_owned()));
    }
}
