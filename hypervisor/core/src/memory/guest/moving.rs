//! A VM's memory on its way to another VM, or from there, with a checksum that is worked out in the same pass.
//!
//! The VM that is saved or restored stands still. It may have its caches on or off, and may have memory as Non-cacheable; so its
//! memory is written back, and read and written past the caches ([`Way::Past`]): what is there by then is what each of its vCPUs
//! would find. What only EL2 reaches, always by its caches, is read and written so ([`Way::Kept`]).
//! What was looked at is not written back once more to be sent: nobody has written to it since.

use portcullis_arch::{barrier, cache, shared};
use portcullis_devices::OutOfReach;
use portcullis_stream::layout::PAGE;
use portcullis_stream::{Alike, Area};

use super::piece::Piece;
use super::{GuestMemory, Way};
use crate::memory::window;

impl GuestMemory {
    /// Tells how many pages from `address` on, itself a page's, are alike, as far as one block has them: blank, as they are in
    /// `area`, `blanks` of them at the most, or not, `others` at the most. They are out of the caches then.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]: the VM has no RAM at `address`.
    pub fn alike(&mut self, area: Area, way: Way, address: u64, blanks: u64, others: u64) -> Result<Alike, OutOfReach> {
        // Memory has a loop of its own, in which nothing is asked about the way.
        if area == Area::Memory {
            return self.look_at(Way::Past, Piece::is_zero, address, blanks, others);
        }
        let blank: fn(Piece) -> bool = if area.blank() == 0 { Piece::is_zero } else { Piece::is_set };
        self.look_at(way, blank, address, blanks, others)
    }

    #[inline(always)]
    fn look_at(
        &mut self,
        way: Way,
        blank: impl Fn(Piece) -> bool,
        address: u64,
        blanks: u64,
        others: u64,
    ) -> Result<Alike, OutOfReach> {
        let first = self.physical(address, PAGE as usize).ok_or(OutOfReach { address, length: PAGE as usize })?.start;
        let length = self.memory.end.saturating_sub(first).min(blanks.max(others).saturating_mul(PAGE));
        let shown = self.piece(way, first, length as usize);
        let (mut alike, pages) = (Alike { pages: 0, is_blank: false }, shown.length as u64 / PAGE);
        while alike.pages < pages && (alike.pages == 0 || alike.pages < if alike.is_blank { blanks } else { others }) {
            let at = shown.at.saturating_add(alike.pages.saturating_mul(PAGE));
            if way == Way::Past {
                cache::clean(at as usize, PAGE as usize);
            }
            let is_blank = blank(Piece { at, length: PAGE as usize, ..shown });
            if alike.pages == 0 {
                alike.is_blank = is_blank;
            } else if alike.is_blank != is_blank {
                break;
            }
            alike.pages = alike.pages.saturating_add(1);
        }
        hide(way, &shown);
        Ok(alike)
    }

    /// Copies `length` bytes at `address`, of pages that were [looked at](Self::alike), to those at `to` of another VM, which
    /// shares them with a device. Returns `sum`, a CRC-32C in the making, with them taken in.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn send(
        &mut self,
        way: Way,
        address: u64,
        other: &mut Self,
        to: u64,
        length: usize,
        sum: u32,
    ) -> Result<u32, OutOfReach> {
        let copy = |past: Piece, kept: Piece, sum| kept.write_summed(past, sum);
        self.exchange(way, (address, other, to), length, sum, copy)
    }

    /// Copies `length` bytes at `from` of another VM, which shares them with a device, to those at `address`. Returns `sum`
    /// with them taken in.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn receive(
        &mut self,
        way: Way,
        address: u64,
        other: &mut Self,
        from: u64,
        length: usize,
        sum: u32,
    ) -> Result<u32, OutOfReach> {
        let copy = |past: Piece, kept, sum| {
            if way == Way::Past {
                cache::clean(past.at as usize, past.length);
            }
            let sum = past.write_summed(kept, sum);
            if way == Way::Through {
                cache::clean(past.at as usize, past.length);
            }
            sum
        };
        self.exchange(way, (address, other, from), length, sum, copy)
    }

    /// Has `copy` do its work with each piece of `length` bytes at the first address, reached by `way`, and the piece of as many
    /// bytes of the other VM's at the second one.
    fn exchange(
        &mut self,
        way: Way,
        (own, other, shared): (u64, &mut Self, u64),
        length: usize,
        mut sum: u32,
        copy: impl Fn(Piece, Piece, u32) -> u32,
    ) -> Result<u32, OutOfReach> {
        let past = self.physical(own, length).ok_or(OutOfReach { address: own, length })?;
        let kept = other.physical(shared, length).ok_or(OutOfReach { address: shared, length })?;
        let (mut at, end, mut address, mut shared) = (past.start, past.end, shared, kept.start);
        while at < end {
            // The block that is shown second does not take the first one's slot, which was asked for last.
            let mut past = self.piece(way, at, (end - at) as usize);
            let kept = match other.viewed(address, past.length) {
                Some(at) => Piece::seen(at, past.length),
                None => match other.shared_anew(address, past.length) {
                    Some(kept) => kept,
                    None => other.piece(Way::Kept, shared, past.length),
                },
            };
            past.length = kept.length;
            sum = copy(past, kept, sum);
            hide(way, &past);
            let done = past.length as u64;
            (at, shared) = (at.saturating_add(done), shared.saturating_add(done));
            address = address.wrapping_add(done);
        }
        Ok(sum)
    }
}

/// Shows what was reached no more, unless it is kept.
fn hide(way: Way, piece: &Piece) {
    if way == Way::Past {
        barrier::dsb_sy();
    }
    if way != Way::Kept {
        window::show(piece.slot, 0);
    }
}

impl Piece {
    /// Tells whether all of it is zero.
    fn is_zero(self) -> bool {
        // SAFETY: a slot shows so many bytes from here on.
        unsafe { shared::is_zero(self.at as *const u8, self.length) }
    }

    /// Tells whether every bit of it is set.
    fn is_set(self) -> bool {
        // SAFETY: as above.
        unsafe { shared::is_set(self.at as *const u8, self.length) }
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

    use portcullis_stream::Area;

    use super::super::{SLOT, Way};

    #[test]
    fn what_goes_there_and_back_is_the_same_and_has_one_sum() {
        let (mut vm, mut manager) = (Ram::blocks(2), Ram::blocks(2));
        let (start, buffer, length) = (SLOT as usize - 3000, SLOT as usize - 100, 5000);
        (0..length).for_each(|offset| *vm.byte(start + offset) = (offset * 7 + 1) as u8);
        let bytes: Vec<u8> = (0..length).map(|offset| (offset * 7 + 1) as u8).collect();
        let (address, at) = (RAM + start as u64, RAM + buffer as u64);
        let sum = vm.on(40).send(Way::Past, address, &mut manager.on(40), at, length, 5).unwrap();
        assert_eq!(sum, portcullis_arch::checksum::crc32c(5, &bytes));
        assert!((0..length).all(|offset| *manager.byte(buffer + offset) == bytes[offset]));
        let mut other = Ram::blocks(2);
        assert_eq!(other.on(40).receive(Way::Past, address, &mut manager.on(40), at, length, 5), Ok(sum));
        assert!((0..length).all(|offset| *other.byte(start + offset) == bytes[offset]));
        assert!(vm.on(40).send(Way::Past, RAM + 2 * SLOT - 10, &mut manager.on(40), RAM, 11, 0).is_err());
        assert!(vm.on(40).receive(Way::Past, RAM, &mut manager.on(40), RAM + 2 * SLOT, 1, 0).is_err());
    }

    #[test]
    fn pages_are_alike_as_far_as_they_are_and_are_asked_for() {
        let mut vm = Ram::blocks(2);
        // Pages 3 and 4 have something in their last and first byte, and the last one of the first block.
        let last = SLOT as usize - 1;
        for offset in [4 * 4096 - 1, 4 * 4096, last] {
            *vm.byte(offset) = 1;
        }
        let mut memory = vm.on(41);
        let mut alike = |page: u64, zeros, others| {
            let found = memory.alike(Area::Memory, Way::Past, RAM + page * 4096, zeros, others).unwrap();
            (found.pages, found.is_blank)
        };
        assert_eq!((alike(0, 100, 8), alike(0, 2, 8), alike(0, 0, 8)), ((3, true), (2, true), (1, true)));
        assert_eq!((alike(3, 100, 8), alike(3, 100, 1), alike(4, 100, 8)), ((2, false), (1, false), (1, false)));
        assert_eq!((alike(5, 600, 8), alike(511, 600, 8)), ((506, true), (1, false)), "no farther than the block");
        assert_eq!((alike(512, 600, 8), alike(1023, 600, 8)), ((512, true), (1, true)));
        assert!(
            memory.alike(Area::Memory, Way::Past, RAM + 2 * SLOT, 1, 1).is_err()
                && memory.alike(Area::Memory, Way::Past, RAM - 4096, 1, 1).is_err()
        );
    }
    #[test]
    fn erased_cells_are_alike_and_zeros_are_not() {
        let mut vm = Ram::blocks(1);
        // Erased are the pages from 2 to 9, but for one bit of page 5.
        (2 * 4096..10 * 4096).for_each(|offset| *vm.byte(offset) = 0xff);
        *vm.byte(6 * 4096 - 1) = 0x7f;
        let mut memory = vm.on(42);
        let mut alike = |page: u64, blanks, others| {
            let found = memory.alike(Area::Flash, Way::Through, RAM + page * 4096, blanks, others).unwrap();
            (found.pages, found.is_blank)
        };
        assert_eq!((alike(0, 9, 8), alike(2, 9, 8), alike(2, 2, 8)), ((2, false), (3, true), (2, true)));
        assert_eq!((alike(5, 9, 8), alike(6, 9, 8), alike(10, 9, 8)), ((1, false), (4, true), (8, false)));
    }

    #[test]
    fn what_is_stored_through_the_caches_is_in_memory_and_shown_no_more() {
        let (mut vm, mut manager) = (Ram::blocks(2), Ram::blocks(1));
        (0..5000).for_each(|offset| *manager.byte(offset) = (offset * 7 + 1) as u8);
        let address = RAM + SLOT - 3000;
        let mut memory = vm.on(43);
        memory.receive(Way::Through, address, &mut manager.on(43), RAM, 5000, 0).unwrap();
        let shown: Vec<u64> = super::super::slots_of(43).map(crate::memory::window::shown).collect();
        let own = [vm.byte(0) as *mut u8 as u64, vm.byte(SLOT as usize) as *mut u8 as u64];
        assert!(shown.iter().all(|shown| !own.contains(&(shown & super::super::BLOCK))), "{shown:x?}");
        assert!((0..5000).all(|offset| *vm.byte(SLOT as usize - 3000 + offset) == (offset * 7 + 1) as u8));
    }
}
