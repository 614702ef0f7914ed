//! A VM's memory on its way to another VM, or from there, with a checksum that is worked out in the same pass.
//!
//! The VM that is saved or restored stands still. It may have its caches on or off, and may have memory as Non-cacheable; so its
//! memory is written back, and read and written past the caches: what is there by then is what each of its vCPUs would find.

use portcullis_arch::{barrier, cache, shared};
use portcullis_devices::OutOfReach;

use super::piece::Piece;
use super::{GuestMemory, Way};
use crate::memory::window;

impl GuestMemory {
    /// Tells whether `length` bytes at `address`, a multiple of 64, are zero.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    pub fn is_zero(&mut self, address: u64, length: usize) -> Result<bool, OutOfReach> {
        let mut zero = true;
        self.each(Way::Past, address, length, &mut |piece| zero = zero && piece.is_zero())?;
        Ok(zero)
    }

    /// Copies `length` bytes at `address` to those at `to` of another VM, which shares them with a device. Returns `sum`, a
    /// CRC-32C in the making, with them taken in.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn send(
        &mut self,
        address: u64,
        other: &mut Self,
        to: u64,
        length: usize,
        sum: u32,
    ) -> Result<u32, OutOfReach> {
        self.exchange(address, other, to, length, sum, |past, kept, sum| kept.write_summed(past, sum))
    }

    /// Copies `length` bytes at `from` of another VM, which shares them with a device, to those at `address`. Returns `sum`
    /// with them taken in.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn receive(
        &mut self,
        address: u64,
        other: &mut Self,
        from: u64,
        length: usize,
        sum: u32,
    ) -> Result<u32, OutOfReach> {
        self.exchange(address, other, from, length, sum, |past, kept, sum| past.write_summed(kept, sum))
    }

    /// Has `copy` do its work with each piece of `length` bytes at `own`, past the caches, and the piece of as many bytes of the
    /// other VM's at `shared`.
    fn exchange(
        &mut self,
        own: u64,
        other: &mut Self,
        shared: u64,
        length: usize,
        mut sum: u32,
        copy: impl Fn(Piece, Piece, u32) -> u32,
    ) -> Result<u32, OutOfReach> {
        let past = self.physical(own, length).ok_or(OutOfReach { address: own, length })?;
        let kept = other.physical(shared, length).ok_or(OutOfReach { address: shared, length })?;
        let (mut at, mut shared) = (past.start, kept.start);
        while at < past.end {
            // The block that is shown second does not take the first one's slot, which was used last.
            let kept = other.piece(Way::Kept, shared, (past.end - at) as usize);
            let past = self.piece(Way::Past, at, kept.length);
            cache::clean(past.at as usize, past.length);
            sum = copy(past, kept, sum);
            barrier::dsb_sy();
            window::show(past.slot, 0);
            let done = past.length as u64;
            (at, shared) = (at.saturating_add(done), shared.saturating_add(done));
        }
        Ok(sum)
    }
}

impl Piece {
    /// Tells whether all of it is zero.
    fn is_zero(self) -> bool {
        // SAFETY: a slot shows so many bytes from here on.
        unsafe { shared::is_zero(self.at as *const u8, self.length) }
    }

    /// Writes as much of it as `from` has, and returns `sum` with that taken in.
    fn write_summed(self, from: Self, sum: u32) -> u32 {
        // SAFETY: slots of this core show both, which are of two VMs and do not overlap.
        unsafe { shared::copy_summed(self.changes(), from.at as *const u8, self.length.min(from.length), sum) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RAM, Ram};

    use super::super::SLOT;

    #[test]
    fn what_goes_there_and_back_is_the_same_and_has_one_sum() {
        let (mut vm, mut manager) = (Ram::blocks(2), Ram::blocks(2));
        let (start, buffer, length) = (SLOT as usize - 3000, SLOT as usize - 100, 5000);
        (0..length).for_each(|offset| *vm.byte(start + offset) = (offset * 7 + 1) as u8);
        let bytes: Vec<u8> = (0..length).map(|offset| (offset * 7 + 1) as u8).collect();
        let (address, at) = (RAM + start as u64, RAM + buffer as u64);
        let sum = vm.on(40).send(address, &mut manager.on(40), at, length, 5).unwrap();
        assert_eq!(sum, portcullis_arch::checksum::crc32c(5, &bytes));
        assert!((0..length).all(|offset| *manager.byte(buffer + offset) == bytes[offset]));
        let mut other = Ram::blocks(2);
        assert_eq!(other.on(40).receive(address, &mut manager.on(40), at, length, 5), Ok(sum));
        assert!((0..length).all(|offset| *other.byte(start + offset) == bytes[offset]));
        assert!(vm.on(40).is_zero(RAM, 4096).unwrap() && !vm.on(40).is_zero(address & !4095, 4096).unwrap());
        assert!(vm.on(40).send(RAM + 2 * SLOT - 10, &mut manager.on(40), RAM, 11, 0).is_err());
        assert!(vm.on(40).receive(RAM, &mut manager.on(40), RAM + 2 * SLOT, 1, 0).is_err());
    }
}
