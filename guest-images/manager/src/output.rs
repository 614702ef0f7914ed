//! What a command prints, and in which form.

use std::fmt;
use std::io::{self, Write};

use serde_json::Value;

/// Where a command prints, and how.
pub struct Output<'a> {
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// As JSON, a value on a line, instead of text.
    pub json: bool,
    /// Nothing but what was asked for: no word of what was done.
    pub quiet: bool,
}

impl Output<'_> {
    /// Prints a report, as text or as the JSON that `json` makes.
    ///
    /// # Errors
    /// Those of the output.
    pub fn report(&mut self, text: &dyn fmt::Display, json: impl FnOnce() -> Value) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", json())?
        } else {
            write!(self.out, "{text}")?
        }
        self.out.flush()
    }

    /// Says what was done, unless it is to be quiet.
    ///
    /// # Errors
    /// Those of the output.
    pub fn done(&mut self, text: fmt::Arguments, json: impl FnOnce() -> Value) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.report(&format_args!("{text}\n"), json) }
    }
}
