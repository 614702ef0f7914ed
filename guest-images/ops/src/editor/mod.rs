//! A line editor for a terminal: cursor keys, history, completion. It works in a fixed amount of memory and takes any
//! bytes.

mod history;
mod key;
mod line;
#[cfg(test)]
mod tests;
mod view;

use core::fmt::{self, Write};

use heapless::String;

use history::History;
use key::{Decoder, Key};
pub use line::CAPACITY;
use line::Line;
use view::View;

use crate::completion::{self, Vocabulary};

/// The byte of Ctrl-C.
pub const CANCEL: u8 = 0x03;

/// The editor of one terminal.
#[derive(Debug)]
pub struct Editor {
    prompt: &'static str,
    decoder: Decoder,
    line: Line,
    history: History,
    view: View,
}

impl Editor {
    /// An editor that shows `prompt` before the line.
    pub const fn new(prompt: &'static str) -> Self {
        Self { prompt, decoder: Decoder::new(), line: Line::new(), history: History::new(), view: View::new() }
    }

    /// Shows the prompt on a fresh screen line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(&mut self, out: &mut dyn Write) -> fmt::Result {
        self.view.reset();
        self.view.draw(self.prompt, &self.line, out)
    }

    /// Takes a byte that was typed. The line, once it is complete; [`Self::begin`] then begins the next one.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn feed(
        &mut self,
        byte: u8,
        words: &dyn Vocabulary,
        out: &mut dyn Write,
    ) -> Result<Option<String<CAPACITY>>, fmt::Error> {
        let Some(key) = self.decoder.feed(byte) else { return Ok(None) };
        match key {
            Key::Enter => return self.enter(out).map(Some),
            Key::Cancel => self.cancel(out)?,
            Key::Complete => self.complete(words, out)?,
            Key::Character(byte) => self.insert(byte, out)?,
            key => {
                if self.apply(key) {
                    self.view.draw(self.prompt, &self.line, out)?;
                }
            }
        }
        Ok(None)
    }

    fn enter(&mut self, out: &mut dyn Write) -> Result<String<CAPACITY>, fmt::Error> {
        let mut entered = String::new();
        entered.push_str(self.line.text()).map_err(|_| fmt::Error)?;
        self.history.remember(&entered);
        self.line.clear();
        self.view.reset();
        out.write_char('\n')?;
        Ok(entered)
    }

    fn cancel(&mut self, out: &mut dyn Write) -> fmt::Result {
        out.write_str("^C\n")?;
        self.line.clear();
        self.history.leave();
        self.begin(out)
    }

    fn insert(&mut self, byte: u8, out: &mut dyn Write) -> fmt::Result {
        let at_end = self.line.is_at_end();
        if !self.line.insert(byte) || at_end && self.view.append(byte, out)? {
            return Ok(());
        }
        self.view.draw(self.prompt, &self.line, out)
    }

    /// A key that changes the line or moves the cursor. Whether it did.
    fn apply(&mut self, key: Key) -> bool {
        let Self { line, history, .. } = self;
        let cursor = line.cursor();
        match key {
            Key::EraseBefore => line.erase_back_to(cursor.saturating_sub(1)),
            Key::EraseAt => line.erase_at(),
            Key::EraseWord => line.erase_back_to(line.word_start()),
            Key::EraseToStart => line.erase_back_to(0),
            Key::EraseToEnd => line.erase_to_end(),
            Key::Older => history.older(line),
            Key::Newer => history.newer(line),
            Key::Redraw => true,
            Key::Left => {
                line.go_to(cursor.saturating_sub(1));
                line.cursor() != cursor
            }
            Key::Right => {
                line.go_to(cursor + 1);
                line.cursor() != cursor
            }
            Key::Home => {
                line.go_to(0);
                cursor != 0
            }
            Key::End => {
                line.go_to(CAPACITY);
                line.cursor() != cursor
            }
            Key::Enter | Key::Cancel | Key::Complete | Key::Character(_) => false,
        }
    }

    /// Adds what all candidates share; if that is nothing, lists them.
    fn complete(&mut self, words: &dyn Vocabulary, out: &mut dyn Write) -> fmt::Result {
        let completion = completion::complete(self.line.before(), words);
        let mut changed = false;
        for byte in completion.addition.bytes() {
            changed |= self.line.insert(byte);
        }
        if !changed && completion.count > 1 {
            out.write_char('\n')?;
            completion::list(self.line.before(), words, out)?;
            out.write_char('\n')?;
            self.view.reset();
        }
        self.view.draw(self.prompt, &self.line, out)
    }
}
