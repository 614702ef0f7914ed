//! The buffers of a chain, as they were judged.

use heapless::Vec;

use crate::cursor::Cursor;
use crate::segment::Segment;

/// Most descriptors of one chain: a request of 126 buffers with its header and status, and two to spare.
pub const MAX_CHAIN: usize = 130;

/// A chain: what the device reads, and behind it what it writes. It is a copy: what the driver does with its descriptors later
/// does not change it. Large, so that whoever works at queues has one and fills it again and again.
#[derive(Debug)]
pub struct Chain {
    pub(crate) head: u16,
    pub(crate) segments: Vec<Segment, MAX_CHAIN>,
    /// How many of them are read.
    pub(crate) split: usize,
    pub(crate) readable: u32,
    pub(crate) writable: u32,
    /// Descriptors that are taken into it at the most.
    pub(crate) most: usize,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// A chain of nothing.
    pub const fn new() -> Self {
        Self { head: 0, segments: Vec::new(), split: 0, readable: 0, writable: 0, most: MAX_CHAIN }
    }

    /// The number of its first descriptor, by which it is given back.
    #[inline]
    pub const fn head(&self) -> u16 {
        self.head
    }

    /// Bytes that the device reads.
    #[inline]
    pub const fn readable(&self) -> u32 {
        self.readable
    }

    /// Bytes that the device may write.
    #[inline]
    pub const fn writable(&self) -> u32 {
        self.writable
    }

    /// Its descriptors, indirect ones not counted.
    #[inline]
    pub fn descriptors(&self) -> usize {
        self.segments.len()
    }

    /// What the device reads, from the start.
    #[inline]
    pub fn reader(&self) -> Cursor<'_> {
        Cursor::new(self.segments.get(..self.split).unwrap_or_default(), self.readable)
    }

    /// What the device may write, from the start.
    #[inline]
    pub fn writer(&self) -> Cursor<'_> {
        Cursor::new(self.segments.get(self.split..).unwrap_or_default(), self.writable)
    }

    /// The address of the last byte that the device may write; none: it may write nothing.
    #[inline]
    pub fn last(&self) -> Option<u64> {
        let last = self.segments.last().filter(|_| self.writable > 0)?;
        Some(last.address.wrapping_add(u64::from(last.length).wrapping_sub(1)))
    }

    pub(crate) fn clear(&mut self, head: u16, most: usize) {
        self.segments.clear();
        self.most = most.min(MAX_CHAIN);
        (self.head, self.split, self.readable, self.writable) = (head, 0, 0, 0);
    }
}
