//! How a constant is spelt in C: with the width and the base that it has in Rust, which cbindgen does not keep.

use anyhow::{Context, Result, bail};

use crate::constants::Constant;

/// Returns the macro of `<stdint.h>` that gives a number the width of a type of Rust's, or nothing for a type that is no number.
#[must_use]
pub fn width(kind: &str) -> Option<&'static str> {
    match kind {
        "u32" => Some("UINT32_C"),
        "u64" | "usize" => Some("UINT64_C"),
        "i64" => Some("INT64_C"),
        _ => None,
    }
}

/// Spells the value that cbindgen writes for `constant`: each number gets the constant's width, and its base in Rust.
///
/// # Errors
///
/// The type is no number, or a number has more than 64 bits.
pub fn value(constant: &Constant, written: &str) -> Result<String> {
    let Some(width) = width(&constant.kind) else { bail!("{} is of type {}", constant.name, constant.kind) };
    let mut spelt = String::new();
    let mut rest = written;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (token, behind) = rest.split_at(if word == 0 { first.len_utf8() } else { word });
        if first.is_ascii_digit() {
            let digits = token.trim_end_matches(['u', 'l']);
            let number: u64 = digits.parse().with_context(|| format!("{}: `{token}` in `{written}`", constant.name))?;
            let number = if constant.hexadecimal { format!("{number:#x}") } else { number.to_string() };
            spelt.push_str(&format!("{width}({number})"));
        } else {
            spelt.push_str(token);
        }
        rest = behind;
    }
    // An operator within another expression, as in `x - PORTCULLIS_...`, would be read with it.
    let bare = spelt.starts_with('-');
    Ok(if bare { format!("({spelt})") } else { spelt })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(kind: &str, hexadecimal: bool) -> Constant {
        Constant { module: "map".to_owned(), name: "X".to_owned(), kind: kind.to_owned(), hexadecimal }
    }

    #[test]
    fn numbers_have_width_and_base() {
        assert_eq!(value(&constant("u64", false), "(1 << 16)").unwrap(), "(UINT64_C(1) << UINT64_C(16))");
        assert_eq!(value(&constant("u32", true), "(A_1 + 16u)").unwrap(), "(A_1 + UINT32_C(0x10))");
        assert_eq!(value(&constant("i64", false), "-8ll").unwrap(), "(-INT64_C(8))");
        assert_eq!(value(&constant("usize", false), "8").unwrap(), "UINT64_C(8)");
        assert!(value(&constant("&str", false), "8").is_err());
        assert!(value(&constant("u64", false), "99999999999999999999").is_err());
    }
}
