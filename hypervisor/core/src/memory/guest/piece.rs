//! What is done with the bytes of a VM's RAM that a slot shows: the one place where EL2 loads and stores them.

use portcullis_arch::shared;

use crate::memory::window::SLOTS;

/// A part of a VM's RAM that a slot of this core shows. The guest may write there at any time, and what is read of what it
/// writes is some of both: whoever judges it judges the copy.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    /// The slot that shows it, for who has it show nothing afterwards.
    pub(super) slot: usize,
    /// EL2's address of it.
    pub(super) at: u64,
    pub(super) length: usize,
}

impl Piece {
    /// What a view has, which stays.
    #[inline(always)]
    pub(super) const fn seen(at: u64, length: usize) -> Self {
        Self { slot: SLOTS, at, length }
    }

    /// Reads as much of it as there is in `to`.
    #[inline(always)]
    pub(super) fn read(self, to: &mut [u8]) {
        let length = self.length.min(to.len());
        // SAFETY: a slot shows so many bytes from here on; nothing of EL2's own lies in a VM's RAM, so they do not overlap.
        unsafe { shared::copy(to.as_mut_ptr(), self.at as *const u8, length) };
    }

    /// Reads two bytes at once.
    #[inline(always)]
    pub(super) fn load(self) -> u16 {
        // SAFETY: as in `read`; the address is a multiple of 2 as the guest's is, whose RAM begins with a block.
        unsafe { shared::load(self.at as *const u16) }
    }

    /// Reads sixteen bytes, by one instruction.
    #[inline(always)]
    pub(super) fn load_pair(self) -> [u64; 2] {
        // SAFETY: as in `read`.
        unsafe { shared::load_pair(self.at as *const u64) }
    }

    /// Reads 24 bytes.
    #[inline(always)]
    pub(super) fn load_three(self) -> [u64; 3] {
        // SAFETY: as in `read`.
        unsafe { shared::load_three(self.at as *const u64) }
    }

    /// Writes 24 bytes.
    #[inline(always)]
    pub(super) fn store_three(self, words: [u64; 3]) {
        // SAFETY: as in `read`.
        unsafe { shared::store_three(self.changes().cast(), words) };
    }

    /// Writes as much of it as there is in `from`.
    #[inline(always)]
    pub(super) fn write(self, from: &[u8]) {
        let length = self.length.min(from.len());
        // SAFETY: as in `read`.
        unsafe { shared::copy(self.changes(), from.as_ptr(), length) };
    }

    /// Writes all of it, which another piece has, perhaps of another VM.
    #[inline(always)]
    pub(super) fn write_piece(self, from: Self) {
        // SAFETY: as in `read`, of both; that of the source's core stays shown meanwhile.
        unsafe { shared::copy(self.changes(), from.at as *const u8, self.length.min(from.length)) };
    }

    /// Writes two bytes at once.
    #[inline(always)]
    pub(super) fn store(self, value: u16) {
        // SAFETY: as in `load`.
        unsafe { shared::store(self.changes().cast(), value) };
    }

    /// Writes eight bytes, by halves.
    #[inline(always)]
    pub(super) fn store_u64(self, value: u64) {
        // SAFETY: as in `read`; the address is a multiple of 4 as the guest's is, whose RAM begins with a block.
        unsafe { shared::store_halves(self.changes().cast(), value) };
    }

    /// Sets every byte of it.
    pub(super) fn fill(self, byte: u8) {
        // SAFETY: as in `read`.
        unsafe { core::ptr::write_bytes(self.changes(), byte, self.length) };
    }

    /// Clears bits of as much of it as there is in `mask`.
    pub(super) fn mask(self, mask: &[u8]) {
        for (at, mask) in (self.changes() as u64..).zip(mask).take(self.length) {
            let at = at as *mut u8;
            // SAFETY: as in `read`.
            unsafe { at.write(at.read() & mask) };
        }
    }

    /// Its address, for whoever writes there: the one place that every write of EL2 to a VM's memory passes.
    #[inline(always)]
    pub(super) fn changes(self) -> *mut u8 {
        #[cfg(not(target_os = "none"))]
        portcullis_arch::fake::happens(portcullis_arch::fake::Event::Store(self.at as usize, self.length));
        self.at as *mut u8
    }
}
