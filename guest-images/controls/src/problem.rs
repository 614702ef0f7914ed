//! Why something could not be done, in words that say what would be right.

use core::fmt;

use heapless::String;

use crate::status::Status;
use crate::text::cut;

/// Most bytes of an explanation; a longer one is cut.
pub const TEXT: usize = 240;

/// Why something could not be done. `E` is what a call ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem<E> {
    /// What was asked for was wrong.
    Wrong(Wrong),
    /// A management call failed; the text says more than the status does.
    Refused(Status, Wrong),
    /// A management call failed.
    Call(E),
}

impl<E> From<E> for Problem<E> {
    fn from(error: E) -> Self {
        Self::Call(error)
    }
}

/// What was wrong with a word, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String<TEXT>);

impl Wrong {
    /// As much of a text as fits.
    pub fn new(text: fmt::Arguments) -> Self {
        Self(cut(text))
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(Wrong::new(format_args!("{}", "é".repeat(500))).0.len(), TEXT);
    }
}
