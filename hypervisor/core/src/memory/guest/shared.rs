//! A VM's RAM as a device shares it with its driver: what lies near first, then what was reached before, then whatever else.

use portcullis_devices::{Memory, OutOfReach};
use portcullis_virtio::Shared;

use super::piece::Piece;
use super::{GuestMemory, Way};

impl GuestMemory {
    /// `length` bytes at `address`, a multiple of that, which are accessed at once.
    #[inline(always)]
    fn place_of(&mut self, address: u64, length: usize) -> Result<Piece, OutOfReach> {
        match self.near.reach(address, length) {
            Some(at) if address.is_multiple_of(length as u64) => Ok(Piece::seen(at, length)),
            _ => self.place_elsewhere(address, length),
        }
    }

    /// [`place_of`](Self::place_of) of what is not near.
    #[cold]
    #[inline(never)]
    fn place_elsewhere(&mut self, address: u64, length: usize) -> Result<Piece, OutOfReach> {
        let piece = self.shared_elsewhere(address, length).filter(|_| address.is_multiple_of(length as u64));
        piece.ok_or(OutOfReach { address, length })
    }

    /// [`load_pair`](Shared::load_pair) of what is not near.
    #[cold]
    #[inline(never)]
    fn load_pair_elsewhere(&mut self, address: u64) -> Result<[u64; 2], OutOfReach> {
        match self.shared_elsewhere(address, size_of::<[u64; 2]>()) {
            Some(piece) => Ok(piece.load_pair()),
            None => portcullis_virtio::copy_pair(self, address),
        }
    }

    /// [`store_u64`](Shared::store_u64) of what is not near.
    #[cold]
    #[inline(never)]
    fn store_u64_elsewhere(&mut self, address: u64, value: u64) -> Result<(), OutOfReach> {
        match self.shared_elsewhere(address, size_of::<u64>()) {
            Some(piece) if address.is_multiple_of(4) => {
                piece.store_u64(value);
                Ok(())
            }
            _ => self.copy_out(address, &value.to_le_bytes()),
        }
    }

    /// [`copy_across`](Shared::copy_across) of what is not in two views, which it is then, if two blocks have it.
    #[cold]
    #[inline(never)]
    fn copy_across_anew(&mut self, from: u64, other: &mut Self, to: u64, length: usize) -> Result<(), OutOfReach> {
        // The block that is shown second does not take the first one's slot, which was asked for last.
        if let Some(source) = self.shared_anew(from, length)
            && let Some(target) = other.shared_anew(to, length)
        {
            target.write_piece(source);
            return Ok(());
        }
        let source = self.physical(from, length).ok_or(OutOfReach { address: from, length })?;
        let target = other.physical(to, length).ok_or(OutOfReach { address: to, length })?;
        let (mut from, mut to) = (source.start, target.start);
        while from < source.end {
            let left = (source.end - from) as usize;
            let source = self.piece(Way::Kept, from, left);
            let target = other.piece(Way::Kept, to, source.length);
            target.write_piece(source);
            let done = target.length as u64;
            (from, to) = (from.saturating_add(done), to.saturating_add(done));
        }
        Ok(())
    }
}

impl Memory for GuestMemory {
    fn copy_in(&mut self, address: u64, to: &mut [u8]) -> Result<(), OutOfReach> {
        if let Some(piece) = self.shared_elsewhere(address, to.len()) {
            piece.read(to);
            return Ok(());
        }
        let length = to.len();
        let mut rest = to;
        self.each(Way::Kept, address, length, &mut |piece| {
            if let Some((now, later)) = core::mem::take(&mut rest).split_at_mut_checked(piece.length) {
                piece.read(now);
                rest = later;
            }
        })
    }

    fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        if let Some(piece) = self.shared_elsewhere(address, from.len()) {
            piece.write(from);
            return Ok(());
        }
        self.write(Way::Kept, address, from)
    }
}

impl Shared for GuestMemory {
    #[inline(always)]
    fn check(&self, address: u64, length: u32) -> Result<(), OutOfReach> {
        // In front of the RAM it is as if far behind it.
        let (offset, size) = (address.wrapping_sub(self.ram), self.memory.end.wrapping_sub(self.memory.start));
        if offset <= size && u64::from(length) <= size.wrapping_sub(offset) {
            return Ok(());
        }
        Err(OutOfReach { address, length: length as usize })
    }

    #[inline(always)]
    fn load(&mut self, address: u64) -> Result<u16, OutOfReach> {
        Ok(self.place_of(address, size_of::<u16>())?.load())
    }

    #[inline(always)]
    fn load_pair(&mut self, address: u64) -> Result<[u64; 2], OutOfReach> {
        match self.near.reach(address, size_of::<[u64; 2]>()) {
            Some(at) => Ok(Piece::seen(at, size_of::<[u64; 2]>()).load_pair()),
            None => self.load_pair_elsewhere(address),
        }
    }

    #[inline(always)]
    fn load_three(&mut self, address: u64) -> Result<[u64; 3], OutOfReach> {
        match self.shared(address, size_of::<[u64; 3]>()) {
            Some(piece) => Ok(piece.load_three()),
            None => portcullis_virtio::copy_three(self, address),
        }
    }

    #[inline(always)]
    fn store_three(&mut self, address: u64, words: [u64; 3]) -> Result<(), OutOfReach> {
        match self.shared(address, size_of::<[u64; 3]>()) {
            Some(piece) => {
                piece.store_three(words);
                Ok(())
            }
            None => self.write(Way::Kept, address, words.map(u64::to_le_bytes).as_flattened()),
        }
    }

    #[inline(always)]
    fn store(&mut self, address: u64, value: u16) -> Result<(), OutOfReach> {
        self.place_of(address, size_of::<u16>())?.store(value);
        Ok(())
    }

    #[inline(always)]
    fn store_u64(&mut self, address: u64, value: u64) -> Result<(), OutOfReach> {
        match self.near.reach(address, size_of::<u64>()) {
            Some(at) if address.is_multiple_of(4) => {
                Piece::seen(at, size_of::<u64>()).store_u64(value);
                Ok(())
            }
            _ => self.store_u64_elsewhere(address, value),
        }
    }

    #[inline(always)]
    fn copy_across(&mut self, from: u64, other: &mut Self, to: u64, length: usize) -> Result<(), OutOfReach> {
        if let Some(source) = self.seen(from, length)
            && let Some(target) = other.seen(to, length)
        {
            Piece::seen(target, length).write_piece(Piece::seen(source, length));
            return Ok(());
        }
        self.copy_across_anew(from, other, to, length)
    }
}
