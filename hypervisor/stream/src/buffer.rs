//! A few bytes on their way into a stream, or out of one.

use zerocopy::{Immutable, IntoBytes};

use crate::kind::MAX_BODY;
use crate::layout::{Head, Tail};

/// Bytes of the longest section that is put together, or looked at, as a whole.
const SIZE: usize = size_of::<Head>() + MAX_BODY + size_of::<Tail>();

/// See the module. What was put in comes out in the same order.
#[derive(Clone, Debug)]
pub struct Buffer {
    bytes: [u8; SIZE],
    taken: usize,
    filled: usize,
}

impl Buffer {
    /// Makes an empty one.
    pub const fn new() -> Self {
        Self { bytes: [0; SIZE], taken: 0, filled: 0 }
    }

    /// Empties it.
    pub const fn clear(&mut self) {
        self.taken = 0;
        self.filled = 0;
    }

    /// Returns how many bytes were put in since it was emptied.
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// Returns the bytes from `start` on, up to the last one that was put in.
    pub fn since(&self, start: usize) -> &[u8] {
        self.bytes.get(start..self.filled).unwrap_or_default()
    }

    /// Returns `length` bytes from `start` on; fewer if there are not so many.
    pub fn part(&self, start: usize, length: usize) -> &[u8] {
        let rest = self.since(start);
        rest.get(..length).unwrap_or(rest)
    }

    /// Returns the next place for `length` bytes, which count as put in; less if it is nearly full.
    pub fn place(&mut self, length: usize) -> &mut [u8] {
        let start = self.filled;
        self.filled = start.saturating_add(length).min(SIZE);
        self.bytes.get_mut(start..self.filled).unwrap_or_default()
    }

    /// Puts in a structure.
    pub fn put(&mut self, value: &(impl IntoBytes + Immutable)) {
        let place = self.place(size_of_val(value));
        // It is as long, unless the buffer is nearly full, which it never is.
        let _ = value.write_to(place);
    }

    /// Returns what is left in it, `most` bytes at the most, which come out by that.
    pub fn take(&mut self, most: usize) -> &[u8] {
        let start = self.taken;
        self.taken = start.saturating_add(most).min(self.filled);
        self.bytes.get(start..self.taken).unwrap_or_default()
    }

    /// Tells whether all of it has come out.
    pub const fn is_empty(&self) -> bool {
        self.taken == self.filled
    }
}
