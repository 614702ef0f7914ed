//! The block of a VM's RAM that a piece of work reaches most, that of a queue's rings: what lies there is reached without asking at
//! each access whether the core still shows it.
//!
//! A core shows it until the piece of work ends: it is *held*, so that no other block takes its slot. A piece works at the memories
//! of two VMs at the most, each of which has one block held. A piece begins by reaching its memories anew
//! ([`Peer::memory_again`](crate::links::peer::Peer::memory_again)), which lets go of what one before has held, so that nobody goes
//! by a block that is not. Nothing in between has the core show such a block in another way, or no more: that is done where nobody
//! works at links.

use super::view::View;
use crate::memory::window::SLOT;

/// The memories of a piece of work, of each of which a block is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Of whoever sends, or asks.
    First,
    /// Of whoever receives, or answers.
    Second,
}

/// How many there are.
pub(super) const HOLDS: usize = 2;

/// Bytes at the end of a block that are not near: so an access of no more is inside if its first byte is.
const MARGIN: u64 = 32;

/// See the module. What each access asks for comes first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Near {
    /// The guest's first address of the block, as far as it is near; bytes of it that are: none if it is not held.
    start: u64,
    length: u64,
    /// EL2's address of it.
    at: u64,
    view: View,
}

impl Near {
    /// No block.
    pub(super) const NONE: Self = Self { start: 0, length: 0, at: 0, view: View::NONE };

    /// The block that a view has, which is yet to be [held](Self::hold).
    pub(super) const fn of(view: View) -> Self {
        Self { start: view.start(), length: 0, at: view.at(0), view }
    }

    /// Does not count any more.
    #[inline(always)]
    pub(super) const fn let_go(&mut self) {
        self.length = 0;
    }

    /// Counts from now on, if it is the block with the guest's address `address` and is shown. Some: so it is held, by this
    /// descriptor.
    #[inline(always)]
    pub(super) fn hold(&mut self, address: u64) -> Option<u64> {
        self.view.reach(address, 1)?;
        self.length = SLOT - MARGIN;
        Some(self.view.descriptor())
    }

    /// EL2's address of a range of the guest's, if all of it is near.
    #[inline(always)]
    pub(super) fn reach(&self, address: u64, length: usize) -> Option<u64> {
        let offset = address.wrapping_sub(self.start);
        let fits = offset < self.length && (length as u64 <= MARGIN || length as u64 <= SLOT.wrapping_sub(offset));
        debug_assert!(!fits || self.view.reach(self.start, 1).is_some(), "what is held is shown");
        fits.then(|| self.at.wrapping_add(offset))
    }
}
