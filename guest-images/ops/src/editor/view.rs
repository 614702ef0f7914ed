//! The part of a line that is on the screen.
//!
//! Only printable characters, carriage return and backspace are sent: every terminal knows them, and the console that
//! shares one terminal between VMs can show such a line again after another VM's.

use core::fmt::{self, Write};

use super::line::Line;

/// Characters of the line that are shown at once; a longer one is shown around its cursor.
pub const WIDTH: usize = 70;

/// What the terminal shows now, behind the prompt.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// First character of the line that is shown.
    start: usize,
    /// Characters shown.
    shown: usize,
}

impl View {
    /// An empty screen line.
    pub const fn new() -> Self {
        Self { start: 0, shown: 0 }
    }

    /// Begins on a fresh screen line.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Shows a character that was put at the end of the line; false if that takes a [`Self::draw`].
    pub fn append(&mut self, byte: u8, out: &mut dyn Write) -> Result<bool, fmt::Error> {
        if self.shown + 1 >= WIDTH {
            return Ok(false);
        }
        self.shown += 1;
        out.write_char(char::from(byte))?;
        Ok(true)
    }

    /// Shows the line and its cursor.
    pub fn draw(&mut self, prompt: &str, line: &Line, out: &mut dyn Write) -> fmt::Result {
        let cursor = line.cursor();
        if cursor < self.start {
            self.start = cursor;
        } else if cursor - self.start >= WIDTH {
            self.start = cursor - WIDTH + 1;
        }
        let end = line.text().len().min(self.start + WIDTH);
        let text = line.text().get(self.start..end).unwrap_or_default();
        write!(out, "\r{prompt}{text}")?;
        let blank = self.shown.saturating_sub(text.len());
        self.shown = text.len();
        let back = blank + text.len().saturating_sub(cursor - self.start);
        (0..blank).try_for_each(|_| out.write_char(' '))?;
        (0..back).try_for_each(|_| out.write_char('\x08'))
    }
}
