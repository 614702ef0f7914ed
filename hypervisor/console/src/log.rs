//! The hypervisor's own lines.

use core::fmt::{self, Write};

use super::columns::{self, USED};
use super::console::Console;
use super::escape::is_harmless;
use super::ring::{HYPERVISOR, log_of};
use super::screen::FRAME_MAX;
use super::vm::Guests;

/// What each of the hypervisor's lines starts with.
const PREFIX: &str = "portcullis: ";
/// What a row starts with that goes on with one.
const MORE: &str = "portcullis> ";
/// What a row takes besides its text.
const ROW_MIN: usize = PREFIX.len() + 2;
/// Longest message in bytes, newlines included; the rest is cut.
const MESSAGE_MAX: usize = 512;
/// What stands at the end of a message that was cut.
const CUT: &str = "...";

impl Console {
    /// Writes a message of the hypervisor, each of its lines with the prefix. False if there was no room: its lines are
    /// then dropped and counted, and a note tells of it later.
    pub fn log(&mut self, message: fmt::Arguments) -> bool {
        self.log_text(&Text::of(message))
    }

    /// [`log`](Self::log) of what was formatted before.
    pub(super) fn log_text(&mut self, text: &Text) -> bool {
        self.note_dropped();
        if self.dropped != 0 || !self.write_lines(HYPERVISOR, text.as_str()) {
            self.dropped = self.dropped.saturating_add(text.as_str().lines().count());
            return false;
        }
        true
    }

    /// Writes a message about VM `vm` as [`log`](Self::log) does, on an account of that VM's: however many there are, they take
    /// no room from others. `last`: it is about the VM's end, and may take the hypervisor's room where there is no other. False
    /// if there was none at all.
    pub fn log_about(&mut self, vm: usize, last: bool, message: fmt::Arguments) -> bool {
        let text = Text::of(message);
        let owner = u8::try_from(vm).ok().filter(|_| vm < self.guests.count()).map_or(HYPERVISOR, log_of);
        self.write_lines(owner, text.as_str()) || last && self.log(message)
    }

    /// Tells of dropped lines, if there are any and there is room.
    pub(super) fn note_dropped(&mut self) {
        if self.dropped != 0 {
            let text = Text::of(format_args!("{} lines of this log were dropped, the console was full", self.dropped));
            if self.write_lines(HYPERVISOR, text.as_str()) {
                self.dropped = 0;
            }
        }
    }

    /// Writes so many messages of the hypervisor as one: those that there is no room for are dropped and counted.
    pub(super) fn log_all(&mut self, count: usize, message: impl Fn(&Guests, usize) -> Text) {
        self.note_dropped();
        let cancel = self.attached_in_sequence();
        self.screen.fresh(HYPERVISOR, cancel);
        for index in 0..count {
            let text = message(&self.guests, index);
            if self.dropped != 0 || !self.write_rows(HYPERVISOR, text.as_str()) {
                self.dropped = self.dropped.saturating_add(text.as_str().lines().count());
            }
        }
        self.restore(HYPERVISOR);
    }

    fn write_lines(&mut self, owner: u8, text: &str) -> bool {
        if self.screen.ring.room(owner) < need(text) {
            return false;
        }
        let cancel = self.attached_in_sequence();
        self.screen.fresh(owner, cancel);
        self.write_rows(owner, text);
        self.restore(owner);
        true
    }

    /// Writes lines at the start of one, if there is room for them and what the screen adds.
    fn write_rows(&mut self, owner: u8, text: &str) -> bool {
        let room = self.screen.ring.room(owner) >= need(text);
        for (prefix, row) in text.lines().flat_map(rows).filter(|_| room) {
            self.screen.put(owner, prefix.as_bytes());
            self.screen.put(owner, row.as_bytes());
            self.screen.newline(owner);
        }
        room
    }

    /// Shows what was typed to choose a VM, behind `note`: as a line that goes on with the next key.
    pub(super) fn show_choice(&mut self, note: &str, typed: &str) {
        if self.screen.ring.room(HYPERVISOR) < FRAME_MAX + ROW_MIN + MESSAGE_MAX {
            return;
        }
        let cancel = self.attached_in_sequence();
        self.screen.fresh(HYPERVISOR, cancel);
        for text in [PREFIX, note, typed] {
            self.screen.put(HYPERVISOR, text.as_bytes());
        }
        self.screen.open = Some(HYPERVISOR);
    }

    /// Goes on with a line in which a VM is being chosen by `text`. False if another one came in between.
    pub(super) fn echo(&mut self, text: &[u8]) -> bool {
        let stands = self.screen.open == Some(HYPERVISOR);
        if stands {
            self.screen.put(HYPERVISOR, text);
        }
        stands
    }
}

/// Characters that these lines may take, with what the screen adds.
fn need(text: &str) -> usize {
    let rows = text.lines().flat_map(rows);
    rows.fold(FRAME_MAX, |sum, (_, row)| sum.saturating_add(row.len()).saturating_add(ROW_MIN))
}

/// The rows of one line, each with what stands before it. An empty line has one.
fn rows(line: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let mut rest = Some(line);
    let mut prefix = PREFIX;
    core::iter::from_fn(move || {
        let (row, more) = rest.take().map(|line| line.split_at(columns::row(line, USED - PREFIX.len())))?;
        rest = Some(more).filter(|more| !more.is_empty());
        Some((core::mem::replace(&mut prefix, MORE), row))
    })
}

/// A formatted message without characters that act on the terminal.
pub(super) struct Text {
    bytes: [u8; MESSAGE_MAX],
    len: usize,
}

impl Text {
    pub(super) fn of(message: fmt::Arguments) -> Self {
        let mut text = Self { bytes: [0; MESSAGE_MAX], len: 0 };
        if text.write_fmt(message).is_err() {
            text.append(CUT, MESSAGE_MAX);
        }
        text
    }

    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|text| core::str::from_utf8(text).ok()).unwrap_or_default()
    }

    /// Appends the piece if the text stays within `limit` bytes.
    fn append(&mut self, piece: &str, limit: usize) -> bool {
        let end = self.len.saturating_add(piece.len());
        let Some(cells) = self.bytes.get_mut(self.len..end).filter(|_| end <= limit) else { return false };
        cells.copy_from_slice(piece.as_bytes());
        self.len = end;
        true
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let chars = text.chars().map(|char| if char == '\t' { ' ' } else { char });
        for char in chars.filter(|&char| char == '\n' || is_harmless(char)) {
            if !self.append(char.encode_utf8(&mut [0; 4]), MESSAGE_MAX - CUT.len()) {
                return Err(fmt::Error);
            }
        }
        Ok(())
    }
}
