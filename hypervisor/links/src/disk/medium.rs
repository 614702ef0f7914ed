//! What a local disk is made of.

use portcullis_virtio::{Segment, Shared};

/// Memory that holds a disk. Ranges are inside of it, and it is asked to write only if the disk can be written.
pub trait Medium<M: Shared> {
    /// Copies from byte `offset` on to a piece of a guest's memory. False: it cannot be done.
    fn read(&mut self, offset: u64, guest: &mut M, to: Segment) -> bool;

    /// Copies a piece of a guest's memory to byte `offset`. False: it cannot be done.
    fn write(&mut self, offset: u64, guest: &mut M, from: Segment) -> bool;

    /// Writes zeros. False: it cannot be done.
    fn clear(&mut self, offset: u64, length: u32) -> bool;
}

/// A disk in memory that is reached as a guest's is: an image of the bundle, or RAM that was set aside.
#[derive(Debug)]
pub struct Region<M> {
    /// The memory.
    pub memory: M,
    /// Where in it the disk begins.
    pub start: u64,
}

impl<M: Shared> Medium<M> for Region<M> {
    fn read(&mut self, offset: u64, guest: &mut M, to: Segment) -> bool {
        let at = self.start.wrapping_add(offset);
        self.memory.copy_across(at, guest, to.address, to.length as usize).is_ok()
    }

    fn write(&mut self, offset: u64, guest: &mut M, from: Segment) -> bool {
        let at = self.start.wrapping_add(offset);
        guest.copy_across(from.address, &mut self.memory, at, from.length as usize).is_ok()
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
