//! A VM's RAM as EL2 reaches it while the VM lives: copied in and out, at the guest's own addresses, never referred to.
//!
//! A core has two slots of the window (`window.rs`) and keeps in them the blocks of 2 MiB that it used last. No lock is taken and
//! no other core is told. EL2's alias is Normal memory, write-back, inner shareable: what a guest shares with a device has to be so
//! too.
//!
//! What a guest has with its caches off is reached through another alias, which is Non-cacheable, and behind which nothing stays
//! mapped. While a write-back one is there, any line of the block may come into the caches by speculation (Arm ARM, B2.7.2), and
//! would be read in place of what the guest writes past them. So nothing of a VM's RAM is mapped write-back from when it goes out of
//! the caches until its guest begins.

use core::sync::atomic::{AtomicU8, Ordering};

use portcullis_arch::{barrier, cache};
use portcullis_board::Range;
use portcullis_devices::{Memory, OutOfReach};

use super::stage1::{self, Use};
use super::window::{self, SLOT, SLOTS};

/// Slots of a core.
const OF_CORE: usize = 2;
/// The bits of a descriptor that say which block it shows (Arm ARM, D8.3.1).
const BLOCK: u64 = 0xffff_ffe0_0000;
/// Most cores that have slots.
const CORES: usize = SLOTS / OF_CORE;

/// By core: which of its slots it has used last.
static LAST: [AtomicU8; CORES] = [const { AtomicU8::new(0) }; CORES];

/// The RAM of a VM, as the core on which this runs reaches it.
#[derive(Debug)]
pub struct GuestMemory {
    core: usize,
    ram: u64,
    memory: Range,
}

impl GuestMemory {
    /// The RAM at `memory` of a VM that knows it at `ram`, on the core with the number `core`; nothing on one that has no slots.
    ///
    /// # Safety
    ///
    /// `core` must be the number of the core on which this runs, for as long as the result is used. The memory must be RAM of
    /// one VM, in whole blocks of 2 MiB, for ever.
    pub unsafe fn new(core: usize, ram: u64, memory: Range) -> Option<Self> {
        (core < CORES).then_some(Self { core, ram, memory })
    }

    /// Copies to a guest whose caches are off, or that will start so. Nobody may have the memory mapped write-back, who could load what
    /// was there before. What is fetched there needs the caches of instructions maintained by who runs it.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn place(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = from;
        self.past_caches(address, from.len(), &mut |piece| {
            if let Some((now, later)) = rest.split_at_checked(piece.length) {
                piece.write(now);
                rest = later;
            }
        })
    }

    /// Sets memory to zero, in the caches and behind them. As for [`place`](Self::place), nobody may have it mapped write-back.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn clear(&mut self, address: u64, length: usize) -> Result<(), OutOfReach> {
        self.past_caches(address, length, &mut |piece| piece.fill(0))
    }

    /// Writes back what the caches have of memory, and forgets it there.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    pub fn forget_cached(&mut self, address: u64, length: usize) -> Result<(), OutOfReach> {
        self.past_caches(address, length, &mut |_| {})
    }

    /// Reads eight bytes at `address`, which is a multiple of 8, as the guest's table walks see them, whether its caches are on or
    /// not. None: it has no RAM there.
    pub fn peek(&mut self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let read = self.past_caches(address & !7, bytes.len(), &mut |piece| piece.read(&mut bytes));
        read.ok().map(|()| u64::from_le_bytes(bytes))
    }

    /// Copies to memory that the guest does not write, but may read past its caches as well; others may have it mapped write-back.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn store(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = from;
        self.through_caches(address, from.len(), &mut |piece| {
            if let Some((now, later)) = rest.split_at_checked(piece.length) {
                piece.write(now);
                rest = later;
            }
        })
    }

    /// Sets every byte of such memory to `byte`.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn fill(&mut self, address: u64, length: usize, byte: u8) -> Result<(), OutOfReach> {
        self.through_caches(address, length, &mut |piece| piece.fill(byte))
    }

    /// Clears the bits of such memory that are clear in `mask`.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn mask(&mut self, address: u64, mask: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = mask;
        self.through_caches(address, mask.len(), &mut |piece| {
            if let Some((now, later)) = rest.split_at_checked(piece.length) {
                piece.mask(now);
                rest = later;
            }
        })
    }

    /// Has this core no longer show any of the memory: its VM leaves the core.
    pub fn forget_shown(&mut self) {
        let kept = |slot: &usize| {
            let shown = window::shown(*slot);
            shown != 0 && (self.memory.start..self.memory.end).contains(&(shown & BLOCK))
        };
        slots(self.core).into_iter().filter(kept).for_each(|slot| window::show(slot, 0));
    }

    /// Does something with each piece of a range, which is out of all caches by then, past them, and leaves none of it mapped.
    fn past_caches(&mut self, address: u64, length: usize, act: &mut dyn FnMut(Piece)) -> Result<(), OutOfReach> {
        self.once(address, length, Use::Uncached, &mut |piece| {
            cache::clean(piece.at as usize, piece.length);
            act(piece);
            barrier::dsb_sy();
        })
    }

    /// Does something with each piece of a range, has what comes of it be in memory as well, and leaves none of it mapped.
    fn through_caches(&mut self, address: u64, length: usize, act: &mut dyn FnMut(Piece)) -> Result<(), OutOfReach> {
        self.once(address, length, Use::Data, &mut |piece| {
            act(piece);
            cache::clean(piece.at as usize, piece.length);
        })
    }

    /// Does something with each piece of a range, mapped as `purpose`, and leaves none of it mapped.
    fn once(
        &mut self,
        address: u64,
        length: usize,
        purpose: Use,
        act: &mut dyn FnMut(Piece),
    ) -> Result<(), OutOfReach> {
        self.each(address, length, purpose, &mut |piece| {
            act(piece);
            window::show(piece.slot, 0);
        })
    }

    /// Does something with each piece of a range, block by block.
    fn each(
        &mut self,
        address: u64,
        length: usize,
        purpose: Use,
        act: &mut dyn FnMut(Piece),
    ) -> Result<(), OutOfReach> {
        let Range { start, end } = self.physical(address, length).ok_or(OutOfReach { address, length })?;
        let mut at = start;
        while at < end {
            let block = at & !(SLOT - 1);
            let stop = end.min(block.saturating_add(SLOT));
            let slot = self.show(block, purpose);
            act(Piece { slot, at: reach(slot, at), length: (stop - at) as usize });
            at = stop;
        }
        Ok(())
    }

    /// The physical range behind a range of the guest's, if all of it is RAM.
    fn physical(&self, address: u64, length: usize) -> Option<Range> {
        let offset = address.checked_sub(self.ram)?;
        let end = offset.checked_add(length as u64)?;
        let start = self.memory.start.checked_add(offset)?;
        (end <= self.memory.size()).then_some(Range::sized(start, length as u64))
    }

    /// Has a slot of this core show the block: the one that does, or the one that was not used last. It is shown in one way at a time.
    fn show(&mut self, block: u64, purpose: Use) -> usize {
        let (descriptor, [first, second]) = (stage1::block(block, purpose), slots(self.core));
        let last = LAST.get(self.core);
        let otherwise = |slot: &usize| {
            let shown = window::shown(*slot);
            shown != 0 && shown != descriptor && shown & BLOCK == block
        };
        [first, second].into_iter().filter(otherwise).for_each(|slot| window::show(slot, 0));
        let slot = match (window::shown(first) == descriptor, window::shown(second) == descriptor) {
            (true, _) => first,
            (_, true) => second,
            _ if last.is_some_and(|last| last.load(Ordering::Relaxed) == 0) => second,
            _ => first,
        };
        if window::shown(slot) != descriptor {
            window::show(slot, descriptor);
        }
        if let Some(last) = last {
            last.store((slot - first) as u8, Ordering::Relaxed);
        }
        slot
    }
}

impl Memory for GuestMemory {
    fn copy_in(&mut self, address: u64, to: &mut [u8]) -> Result<(), OutOfReach> {
        let length = to.len();
        let mut rest = to;
        self.each(address, length, Use::Data, &mut |piece| {
            if let Some((now, later)) = core::mem::take(&mut rest).split_at_mut_checked(piece.length) {
                piece.read(now);
                rest = later;
            }
        })
    }

    fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = from;
        self.each(address, from.len(), Use::Data, &mut |piece| {
            if let Some((now, later)) = rest.split_at_checked(piece.length) {
                piece.write(now);
                rest = later;
            }
        })
    }
}

/// The slots of a core.
const fn slots(core: usize) -> [usize; OF_CORE] {
    let first = core * OF_CORE;
    [first, first + 1]
}

/// EL2's address of the physical address `at` in a slot that shows its block. A host's memory is where it is.
fn reach(slot: usize, at: u64) -> u64 {
    if cfg!(target_os = "none") { window::address(slot) + (at & (SLOT - 1)) } else { at }
}

/// A part of a VM's RAM that a slot of this core shows. The guest may write there at any time, and what is read of what it writes is
/// some of both: whoever judges it judges the copy.
#[derive(Clone, Copy)]
struct Piece {
    /// The slot that shows it.
    slot: usize,
    /// EL2's address of it.
    at: u64,
    length: usize,
}

impl Piece {
    /// Reads as much of it as there is in `to`.
    fn read(self, to: &mut [u8]) {
        let length = self.length.min(to.len());
        // SAFETY: a slot shows so many bytes from here on; nothing of EL2's own lies in a VM's RAM, so they do not overlap.
        unsafe { core::ptr::copy_nonoverlapping(self.at as *const u8, to.as_mut_ptr(), length) };
    }

    /// Writes as much of it as there is in `from`.
    fn write(self, from: &[u8]) {
        let length = self.length.min(from.len());
        self.note_store();
        // SAFETY: as in `read`.
        unsafe { core::ptr::copy_nonoverlapping(from.as_ptr(), self.at as *mut u8, length) };
    }

    /// Sets every byte of it.
    fn fill(self, byte: u8) {
        self.note_store();
        // SAFETY: as in `read`.
        unsafe { core::ptr::write_bytes(self.at as *mut u8, byte, self.length) };
    }

    /// Tells a test on a host.
    fn note_store(self) {
        #[cfg(not(target_os = "none"))]
        portcullis_arch::fake::happens(portcullis_arch::fake::Event::Store(self.at as usize, self.length));
    }

    /// Clears bits of as much of it as there is in `mask`.
    fn mask(self, mask: &[u8]) {
        self.note_store();
        for (at, mask) in (self.at..).zip(mask).take(self.length) {
            let at = at as *mut u8;
            // SAFETY: as in `read`.
            unsafe { at.write(at.read() & mask) };
        }
    }
}

#[cfg(test)]
mod tests;
