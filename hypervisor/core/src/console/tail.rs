//! The last, unfinished line of a guest, kept to show it again.

use super::terminal::Event;

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
            Event::Text(glyph) => {
                if core::mem::take(&mut self.returned) {
                    self.len = 0;
                }
                for &byte in glyph.bytes() {
                    self.push(byte);
                }
            }
        }
    }

    fn push(&mut self, byte: u8) {
        if self.len >= CAPACITY {
            let half = (CAPACITY / 2..CAPACITY).find(|&at| self.is_boundary(at)).unwrap_or(CAPACITY);
            self.bytes.copy_within(half.., 0);
            self.len = CAPACITY.saturating_sub(half);
        }
        if let Some(cell) = self.bytes.get_mut(self.len) {
            *cell = byte;
            self.len = self.len.wrapping_add(1);
        }
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| byte & 0xc0 != 0x80)
    }

    fn boundary_before(&self, end: usize) -> usize {
        (0..end).rev().find(|&at| self.is_boundary(at)).unwrap_or(0)
    }
}
