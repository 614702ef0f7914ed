//! A VM's RAM as EL2 reaches it while the VM lives: copied in and out, at the guest's own addresses, never referred to.
//!
//! A core has a few slots of the window (`window.rs`) and keeps in them the blocks of 2 MiB that it had to show last
//! (`slots.rs`): the rings and the buffers of two VMs and more lie in blocks of their own. No lock is taken and no other core
//! is told. EL2's alias is Normal memory, write-back, inner shareable: what a guest shares with a device has to be so too.
//!
//! What a guest has with its caches off is reached through another alias, which is Non-cacheable, and behind which nothing stays
//! mapped. While a write-back one is there, any line of the block may come into the caches by speculation (Arm ARM, B2.7.2), and
//! would be read in place of what the guest writes past them. So nothing of a VM's RAM is mapped write-back from when it goes
//! out of the caches until its guest begins.

mod moving;
mod near;
mod piece;
mod shared;
mod slots;
mod view;

use portcullis_arch::{barrier, cache};
use portcullis_board::Range;
use portcullis_devices::OutOfReach;

pub use self::near::Hold;
use self::near::Near;
use self::piece::Piece;
#[cfg(test)]
pub use self::slots::of as slots_of;
use self::slots::{BLOCK, CORES};
use self::view::{VIEWS, View};
use super::stage1::Use;
use super::window::{self, SLOT};

/// The RAM of a VM, as the core on which this runs reaches it.
#[derive(Debug)]
pub struct GuestMemory {
    core: usize,
    ram: u64,
    memory: Range,
    /// The block that a piece of work reaches most.
    near: Near,
    /// What was reached, as the guest shares it with a device, by the lowest bits of the block's number.
    views: [View; VIEWS],
}

impl GuestMemory {
    /// The RAM at `memory` of a VM that knows it at `ram`, on the core with the number `core`; nothing on one that has no slots.
    ///
    /// # Safety
    ///
    /// `core` must be the number of the core on which this runs, wherever the result is used. The memory must be RAM of one VM, in
    /// whole blocks of 2 MiB, for ever.
    #[inline]
    pub unsafe fn new(core: usize, ram: u64, memory: Range) -> Option<Self> {
        (core < CORES).then_some(Self { core, ram, memory, near: Near::NONE, views: [View::NONE; VIEWS] })
    }

    /// The number of the core that reaches it so.
    #[inline]
    pub const fn core(&self) -> usize {
        self.core
    }

    /// Lets go of what a piece of work has [held](Self::hold): another one begins, or none.
    #[inline(always)]
    pub const fn let_go(&mut self) {
        self.near.let_go();
    }

    /// Keeps the block with the guest's address `address`, which a piece of work reaches most, shown until the next one reaches
    /// this memory: to be called when it has. `hold`: which of the memories of that this is.
    #[inline(always)]
    pub fn hold(&mut self, hold: Hold, address: u64) {
        match self.near.hold(address) {
            Some(descriptor) => slots::hold(self.core, hold, descriptor),
            None => self.hold_anew(hold, address),
        }
    }

    #[cold]
    #[inline(never)]
    fn hold_anew(&mut self, hold: Hold, address: u64) {
        if self.shared_anew(address, 1).is_some() {
            self.near = Near::of(*view::of(&self.views, address));
            let held = self.near.hold(address);
            held.into_iter().for_each(|descriptor| slots::hold(self.core, hold, descriptor));
        }
    }

    /// Copies to a guest whose caches are off, or that will start so. Nobody may have the memory mapped write-back, who could
    /// load what was there before. What is fetched there needs the caches of instructions maintained by who runs it.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn place(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        self.write(Way::Past, address, from)
    }

    /// Sets memory to zero, in the caches and behind them. As for [`place`](Self::place), nobody may have it mapped write-back.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn clear(&mut self, address: u64, length: usize) -> Result<(), OutOfReach> {
        self.each(Way::Past, address, length, &mut |piece| piece.fill(0))
    }

    /// Writes back what the caches have of memory, and forgets it there.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    pub fn forget_cached(&mut self, address: u64, length: usize) -> Result<(), OutOfReach> {
        self.each(Way::Past, address, length, &mut |_| {})
    }

    /// Reads eight bytes at `address`, which is a multiple of 8, as the guest's table walks see them, whether its caches are on or
    /// not. None: it has no RAM there.
    pub fn peek(&mut self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        let read = self.each(Way::Past, address & !7, bytes.len(), &mut |piece| piece.read(&mut bytes));
        read.ok().map(|()| u64::from_le_bytes(bytes))
    }

    /// Copies to memory that the guest does not write, but may read past its caches as well; others may have it mapped write-back.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    pub fn store(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        self.write(Way::Through, address, from)
    }

    /// Sets every byte of such memory to `byte`.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn fill(&mut self, address: u64, length: usize, byte: u8) -> Result<(), OutOfReach> {
        self.each(Way::Through, address, length, &mut |piece| piece.fill(byte))
    }

    /// Clears the bits of such memory that are clear in `mask`.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is changed.
    pub fn mask(&mut self, address: u64, mask: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = mask;
        self.each(Way::Through, address, mask.len(), &mut |piece| {
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
        slots::of(self.core).filter(kept).for_each(|slot| window::show(slot, 0));
    }

    /// Copies `from` to memory that is reached so.
    fn write(&mut self, way: Way, address: u64, from: &[u8]) -> Result<(), OutOfReach> {
        let mut rest = from;
        self.each(way, address, from.len(), &mut |piece| {
            if let Some((now, later)) = rest.split_at_checked(piece.length) {
                piece.write(now);
                rest = later;
            }
        })
    }

    /// Does something with each piece of a range that is reached so, block by block.
    fn each(&mut self, way: Way, address: u64, length: usize, act: &mut dyn FnMut(Piece)) -> Result<(), OutOfReach> {
        let Range { start, end } = self.physical(address, length).ok_or(OutOfReach { address, length })?;
        let mut at = start;
        while at < end {
            let piece = self.piece(way, at, (end - at) as usize);
            if way == Way::Past {
                cache::clean(piece.at as usize, piece.length);
            }
            act(piece);
            match way {
                Way::Kept => {}
                Way::Through => cache::clean(piece.at as usize, piece.length),
                Way::Past => barrier::dsb_sy(),
            }
            if way != Way::Kept {
                window::show(piece.slot, 0);
            }
            at = at.saturating_add(piece.length as u64);
        }
        Ok(())
    }

    /// The beginning of the physical range of `length` bytes at `at`, as far as one block has it.
    #[inline(always)]
    fn piece(&mut self, way: Way, at: u64, length: usize) -> Piece {
        let block = at & !(SLOT - 1);
        let there = (block.saturating_add(SLOT) - at) as usize;
        let slot = slots::show(self.core, block, way.purpose());
        Piece { slot, at: slots::reach(slot, at), length: length.min(there) }
    }

    /// EL2's address of a range of the guest's, if one block has all of it and is near, or in a view.
    #[inline(always)]
    fn seen(&self, address: u64, length: usize) -> Option<u64> {
        match self.near.reach(address, length) {
            None => self.viewed(address, length),
            near => near,
        }
    }

    /// The same if it is in a view.
    #[inline(always)]
    fn viewed(&self, address: u64, length: usize) -> Option<u64> {
        view::of(&self.views, address).reach(address, length)
    }

    /// The range of the guest's if one block has all of it, as the guest shares it with a device: it is in a view then.
    #[cold]
    #[inline(never)]
    fn shared_anew(&mut self, address: u64, length: usize) -> Option<Piece> {
        let Range { start, .. } = self.physical(address, length)?;
        let one = length > 0 && (start & (SLOT - 1)).saturating_add(length as u64) <= SLOT;
        if !one {
            return None;
        }
        let piece = self.piece(Way::Kept, start, length);
        // The VM's RAM is whole blocks.
        let before = start & (SLOT - 1);
        let (start, at) = (address.wrapping_sub(before), piece.at.wrapping_sub(before));
        if let Some(view) = self.views.get_mut(view::place(address)) {
            *view = View::new(start, at, piece.slot);
        }
        Some(piece)
    }

    /// The range as a piece: it is near, in a view, or shown anew.
    #[inline(always)]
    fn shared(&mut self, address: u64, length: usize) -> Option<Piece> {
        match self.near.reach(address, length) {
            Some(at) => Some(Piece::seen(at, length)),
            None => self.shared_elsewhere(address, length),
        }
    }

    /// [`shared`](Self::shared) of what is not near.
    #[inline(always)]
    fn shared_elsewhere(&mut self, address: u64, length: usize) -> Option<Piece> {
        match self.viewed(address, length) {
            Some(at) => Some(Piece::seen(at, length)),
            None => self.shared_anew(address, length),
        }
    }

    /// The physical range behind a range of the guest's, if all of it is RAM.
    #[inline(always)]
    fn physical(&self, address: u64, length: usize) -> Option<Range> {
        let offset = address.checked_sub(self.ram)?;
        let end = offset.checked_add(length as u64)?;
        let start = self.memory.start.checked_add(offset)?;
        (end <= self.memory.size()).then_some(Range::sized(start, length as u64))
    }
}

/// How memory is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a write-back alias that stays, as a device reaches what its driver shares with it.
    Kept,
    /// By a write-back alias that does not stay. What comes of it is in memory as well.
    Through,
    /// By an alias that is Non-cacheable and does not stay: memory that is out of all caches by then.
    Past,
}

impl Way {
    const fn purpose(self) -> Use {
        match self {
            Self::Kept | Self::Through => Use::Data,
            Self::Past => Use::Uncached,
        }
    }
}

#[cfg(test)]
mod tests;
