//! What commands print, on standard output.

use std::fmt;
use std::io::{self, Write};

/// Standard output.
pub struct Printer;

impl fmt::Write for Printer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        io::stdout().write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
