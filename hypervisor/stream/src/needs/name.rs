//! A name in a state, as messages have it.

use core::fmt;

/// A name without the zeros behind it.
pub fn text(name: &[u8]) -> impl fmt::Display {
    name.split(|byte| *byte == 0).next().unwrap_or_default().escape_ascii()
}
