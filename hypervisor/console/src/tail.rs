//! The last, unfinished line of a guest, kept to show it again.

use super::escape::Event;

/// Bytes kept; of a longer line the end.
pub const CAPACITY: usize = 128;

/// The text since a guest's last newline: its prompt and what was typed after it, without sequences.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    bytes: [u8; CAPACITY],
    len: usize,
    returned: bool,
}

impl Tail {
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], len: 0, returned: false }
    }

    /// The text to show again.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Whether the guest has gone back to the start of the line.
    pub const fn is_returned(&self) -> bool {
        self.returned
    }

    /// Follows what the guest did.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::Newline => *self = Self { len: 0, returned: false, ..*self },
            Event::Return => self.returned = true,
            Event::Backspace => self.len = self.boundary_before(self.len),
            Event::Text(glyph) => self.append(glyph.bytes()),
        }
    }

    /// The guest wrote this text, whole glyphs.
    pub fn append(&mut self, mut text: &[u8]) {
        if core::mem::take(&mut self.returned) {
            self.len = 0;
        }
        while !text.is_empty() {
            if self.len >= CAPACITY {
                let half = (CAPACITY / 2..CAPACITY).find(|&at| self.is_boundary(at)).unwrap_or(CAPACITY);
                self.bytes.copy_within(half.., 0);
                self.len = CAPACITY.saturating_sub(half);
            }
            let Some(room) = self.bytes.get_mut(self.len..) else { return };
            let Some((piece, rest)) = text.split_at_checked(room.len().min(text.len())) else { return };
            if let Some(cells) = room.get_mut(..piece.len()) {
                cells.copy_from_slice(piece);
            }
            self.len = self.len.wrapping_add(piece.len());
            text = rest;
        }
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| byte & 0xc0 != 0x80)
    }

    fn boundary_before(&self, end: usize) -> usize {
        (0..end).rev().find(|&at| self.is_boundary(at)).unwrap_or(0)
    }
}
