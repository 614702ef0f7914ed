//! Going through the buffers of a chain.

use portcullis_devices::OutOfReach;

use crate::memory::Shared;
use crate::segment::Segment;

/// A place in the buffers of a chain that are read, or in those that are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor<'a> {
    /// What is left, the first one from `offset` on.
    segments: &'a [Segment],
    offset: u32,
    left: u32,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(segments: &'a [Segment], left: u32) -> Self {
        Self { segments, offset: 0, left }
    }

    /// A place at the beginning of a buffer, or of a piece of memory that is no chain's.
    #[inline]
    pub const fn over(buffer: &'a Segment) -> Self {
        Self::new(core::slice::from_ref(buffer), buffer.length)
    }

    /// Bytes from here to the end.
    #[inline]
    pub const fn left(&self) -> u32 {
        self.left
    }

    /// Takes the bytes that come next and lie together: `most` at the most. None: there is nothing left, or `most` is 0.
    #[inline]
    pub fn piece(&mut self, most: u32) -> Option<Segment> {
        let first = self.segments.first()?;
        let whole = first.length.saturating_sub(self.offset);
        let length = whole.min(most).min(self.left);
        if length == 0 {
            return None;
        }
        let address = first.address.wrapping_add(u64::from(self.offset));
        self.pass(length, whole);
        Some(Segment { address, length })
    }

    /// Passes over `length` bytes, or over all that are left.
    pub fn skip(&mut self, length: u32) {
        let mut length = length;
        while let Some(piece) = self.piece(length) {
            length = length.saturating_sub(piece.length);
        }
    }

    /// Leaves `length` bytes from here on, or all that there are, and takes what comes behind them away.
    pub fn truncate(&mut self, length: u32) {
        self.left = self.left.min(length);
    }

    /// Copies from here to `to`, and goes on behind it. Returns how many bytes there were, which is less where the chain ends.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    #[inline]
    pub fn read<M: Shared>(&mut self, memory: &mut M, to: &mut [u8]) -> Result<usize, OutOfReach> {
        if let [only] = self.segments
            && self.offset == 0
            && self.left > 0
            && let Some(all) = to.get_mut(..self.left as usize)
        {
            // Most chains are of one buffer.
            memory.copy_in(only.address, all)?;
            return Ok(core::mem::take(self).left as usize);
        }
        self.read_each(memory, to)
    }

    /// [`read`](Self::read), buffer by buffer.
    #[inline(never)]
    fn read_each<M: Shared>(&mut self, memory: &mut M, to: &mut [u8]) -> Result<usize, OutOfReach> {
        let mut done = 0_usize;
        while let Some(rest) = to.get_mut(done..)
            && let Some(piece) = self.piece(bounded(rest.len()))
        {
            let length = piece.length as usize;
            memory.copy_in(piece.address, rest.get_mut(..length).unwrap_or_default())?;
            done = done.saturating_add(length);
        }
        Ok(done)
    }

    /// Copies `from` to here, and goes on behind it. Returns how many bytes had room.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    #[inline]
    pub fn write<M: Shared>(&mut self, memory: &mut M, from: &[u8]) -> Result<usize, OutOfReach> {
        let length = bounded(from.len());
        if let [first, ..] = self.segments
            && length > 0
            && length <= self.left
            && self.offset.saturating_add(length) < first.length
        {
            // Most chains are of one buffer, and have room to spare.
            memory.copy_out(first.address.wrapping_add(u64::from(self.offset)), from)?;
            self.offset = self.offset.saturating_add(length);
            self.left = self.left.saturating_sub(length);
            return Ok(from.len());
        }
        self.write_each(memory, from)
    }

    /// [`write`](Self::write), buffer by buffer.
    #[inline(never)]
    fn write_each<M: Shared>(&mut self, memory: &mut M, from: &[u8]) -> Result<usize, OutOfReach> {
        let mut done = 0_usize;
        while let Some(rest) = from.get(done..)
            && let Some(piece) = self.piece(bounded(rest.len()))
        {
            let length = piece.length as usize;
            memory.copy_out(piece.address, rest.get(..length).unwrap_or_default())?;
            done = done.saturating_add(length);
        }
        Ok(done)
    }

    /// Copies from here to a place in another guest's chain, each byte once, and goes on behind it in both: `most` bytes at the
    /// most, and no more than either has. Returns how many.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    #[inline(always)]
    pub fn copy<M: Shared>(
        &mut self,
        memory: &mut M,
        to: &mut Cursor<'_>,
        other: &mut M,
        most: u32,
    ) -> Result<u32, OutOfReach> {
        let most = most.min(self.left).min(to.left);
        let mut left = most;
        while let Some((from, room)) = self.segments.first().zip(to.segments.first())
            && left > 0
        {
            let (here, there) = (from.length.saturating_sub(self.offset), room.length.saturating_sub(to.offset));
            let length = here.min(there).min(left);
            let source = from.address.wrapping_add(u64::from(self.offset));
            let target = room.address.wrapping_add(u64::from(to.offset));
            memory.copy_across(source, other, target, length as usize)?;
            self.pass(length, here);
            to.pass(length, there);
            left = left.saturating_sub(length);
        }
        Ok(most.saturating_sub(left))
    }

    /// Goes on behind `length` bytes of the first buffer, of which `whole` are left.
    #[inline(always)]
    fn pass(&mut self, length: u32, whole: u32) {
        if length < whole {
            self.offset = self.offset.wrapping_add(length);
        } else {
            (self.segments, self.offset) = (self.segments.get(1..).unwrap_or_default(), 0);
        }
        self.left = self.left.saturating_sub(length);
    }
}

/// A length that is no longer than a chain can be.
fn bounded(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
