//! Lengths of time: how the manifest writes them and how messages show them. All are whole microseconds.

use portcullis_bundle::limit::TimeLimit;
use portcullis_bundle::units::{TIMES, Time};
use toml::Spanned;
use toml::de::DeValue;

use super::diagnostic::Diagnostics;
use super::section::Section;

/// Microseconds of a time in the manifest's form, such as `"5ms"`; none if `text` is not of that form or is too large.
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let (_, factor) = TIMES.into_iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
    // `u64::from_str` alone would take a sign too.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// The time in the manifest's own form, in the largest unit that it is whole in.
pub fn show(microseconds: u64) -> String {
    Time(microseconds).to_string()
}

/// The time that `value`, at `key` of `section`, says; anything else is reported, and what is beyond `limit`.
pub fn read(
    section: &Section<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
    limit: TimeLimit,
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
    match limit.check(time) {
        Ok(time) => Some(Spanned::new(value.span(), time)),
        Err(error) => {
            diagnostics.of_bundle(value.span(), error);
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
    fn what_is_shown_is_read_again() {
        for text in ["0us", "1us", "999us", "1ms", "1500us", "10ms", "1s", "1001ms"] {
            assert_eq!(show(parse(text).unwrap()), text);
        }
    }
}
