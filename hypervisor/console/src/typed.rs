//! What was typed for a VM and its UART has not taken yet.

use alloc::collections::VecDeque;

/// Bytes that wait for one VM: a page of text pasted while it boots or stands still, with a lot to spare.
pub const TYPED_MAX: usize = 16 << 10;
/// Room from which on the line is let go on that had to wait for it: not for every byte that the VM reads.
const LET_GO: usize = TYPED_MAX / 4;

/// Input of one VM, in the order in which it came. Its memory is taken once, when it is made.
#[derive(Debug)]
pub struct Typed {
    bytes: VecDeque<u8>,
    /// Bytes that were taken from it, ever.
    taken: u32,
    /// The line waits for room.
    line_waits: bool,
}

impl Typed {
    /// Makes an empty one.
    pub fn new() -> Self {
        Self { bytes: VecDeque::with_capacity(TYPED_MAX), taken: 0, line_waits: false }
    }

    /// Bytes that there is room for.
    pub fn room(&self) -> usize {
        TYPED_MAX.saturating_sub(self.bytes.len())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Appends a byte; false if there is no room for it.
    pub fn push(&mut self, byte: u8) -> bool {
        let room = self.room() != 0;
        if room {
            self.bytes.push_back(byte);
        }
        room
    }

    /// Appends as many of the bytes as there is room for. Returns how many.
    pub fn push_all(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.get(..self.room()).unwrap_or(bytes);
        self.bytes.extend(taken);
        taken.len()
    }

    /// Takes the oldest byte.
    pub fn pop(&mut self) -> Option<u8> {
        let byte = self.bytes.pop_front()?;
        self.taken = self.taken.wrapping_add(1);
        Some(byte)
    }

    /// How many bytes were taken from it, modulo 2^32.
    pub const fn taken(&self) -> u32 {
        self.taken
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        while self.pop().is_some() {}
    }

    /// The line stops until [`take_room`](Self::take_room) says that there is room.
    pub const fn hold_line(&mut self) {
        self.line_waits = true;
    }

    /// Whether the line, which waited for room, is to be let go on.
    pub fn take_room(&mut self) -> bool {
        let go = self.line_waits && self.room() >= LET_GO;
        self.line_waits &= !go;
        go
    }
}

impl Default for Typed {
    fn default() -> Self {
        Self::new()
    }
}
