//! What a local disk is made of.

use portcullis_virtio::{Cursor, Segment, Shared};

/// Memory that holds a disk. Ranges are inside of it, and it is asked to write only if the disk can be written.
pub trait Medium<M: Shared> {
    /// Copies `length` bytes from byte `offset` on to a guest's buffers, which have as many. False: it cannot be done.
    fn read(&mut self, offset: u64, guest: &mut M, to: &mut Cursor<'_>, length: u32) -> bool;

    /// Copies `length` bytes of a guest's buffers, which have as many, to byte `offset`. False: it cannot be done.
    fn write(&mut self, offset: u64, guest: &mut M, from: &mut Cursor<'_>, length: u32) -> bool;

    /// Writes zeros. False: it cannot be done.
    fn clear(&mut self, offset: u64, length: u32) -> bool;
}

/// A disk in memory that is reached as a guest's is: RAM that was set aside.
#[derive(Debug)]
pub struct Region<M> {
    /// The memory.
    pub memory: M,
    /// Where in it the disk begins.
    pub start: u64,
}

impl<M: Shared> Medium<M> for Region<M> {
    fn read(&mut self, offset: u64, guest: &mut M, to: &mut Cursor<'_>, length: u32) -> bool {
        let at = self.start.wrapping_add(offset);
        each(to, length, |done, Segment { address, length }| {
            self.memory.copy_across(at.wrapping_add(done), guest, address, length as usize).is_ok()
        })
    }

    fn write(&mut self, offset: u64, guest: &mut M, from: &mut Cursor<'_>, length: u32) -> bool {
        let at = self.start.wrapping_add(offset);
        each(from, length, |done, Segment { address, length }| {
            guest.copy_across(address, &mut self.memory, at.wrapping_add(done), length as usize).is_ok()
        })
    }

    fn clear(&mut self, offset: u64, length: u32) -> bool {
        const ZEROS: [u8; 512] = [0; 512];
        let (mut at, mut left) = (self.start.wrapping_add(offset), length as usize);
        while left > 0 {
            let piece = ZEROS.get(..left.min(ZEROS.len())).unwrap_or(&ZEROS);
            if self.memory.copy_out(at, piece).is_err() {
                return false;
            }
            at = at.wrapping_add(piece.len() as u64);
            left = left.saturating_sub(piece.len());
        }
        true
    }
}

/// Does something with each buffer of `length` bytes, told how many come before it. False: it could not be done, or there
/// are less.
fn each(cursor: &mut Cursor<'_>, length: u32, mut act: impl FnMut(u64, Segment) -> bool) -> bool {
    let mut done = 0_u32;
    while done < length {
        let Some(piece) = cursor.piece(length.saturating_sub(done)) else { return false };
        if !act(done.into(), piece) {
            return false;
        }
        done = done.saturating_add(piece.length);
    }
    true
}
