//! What a core remembers of its slots: the blocks of a VM that it has reached as the guest shares them with a device.

use core::sync::atomic::{AtomicU64, Ordering};

use crate::memory::window::{self, SLOT};

/// Blocks of one VM that are remembered: those of its rings and its buffers.
pub(super) const VIEWS: usize = 4;

/// Memory of the guest that a slot shows, for as long as it has this descriptor.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// The guest's first address of it: that of a block.
    start: u64,
    /// EL2's address of it.
    at: u64,
    descriptor: u64,
    /// Where the slot's descriptor stands.
    shown: &'static AtomicU64,
}

/// The entry of no slot.
static NOTHING: AtomicU64 = AtomicU64::new(0);

impl View {
    /// Nothing: no slot has this descriptor.
    pub(super) const NONE: Self = Self { start: 0, at: 0, descriptor: 1, shown: &NOTHING };

    /// The block from the guest's address `start` on, which `slot` shows at EL2's address `at`.
    pub(super) fn new(start: u64, at: u64, slot: usize) -> Self {
        let Some(shown) = window::entry(slot) else { return Self::NONE };
        Self { start, at, descriptor: shown.load(Ordering::Relaxed), shown }
    }

    /// The descriptor of the slot that shows it.
    #[inline]
    pub(super) const fn descriptor(&self) -> u64 {
        self.descriptor
    }

    /// The guest's first address of it.
    #[inline]
    pub(super) const fn start(&self) -> u64 {
        self.start
    }

    /// EL2's address of what is so far behind its first byte.
    #[inline(always)]
    pub(super) const fn at(&self, offset: u64) -> u64 {
        self.at.wrapping_add(offset)
    }

    /// EL2's address of a range of the guest's, if all of it is here and the slot still shows this.
    #[inline(always)]
    pub(super) fn reach(&self, address: u64, length: usize) -> Option<u64> {
        let offset = address.wrapping_sub(self.start);
        let fits = offset < SLOT && length as u64 <= SLOT.wrapping_sub(offset);
        let here = fits && self.shown.load(Ordering::Relaxed) == self.descriptor;
        here.then(|| self.at(offset))
    }
}

/// The place in `views` of the block with this address: neighbours have places of their own.
pub(super) const fn place(address: u64) -> usize {
    (address / SLOT) as usize % VIEWS
}

/// The view that an address may be in.
#[inline(always)]
pub(super) fn of(views: &[View; VIEWS], address: u64) -> &View {
    const NONE: &View = &View::NONE;
    views.get(place(address)).unwrap_or(NONE)
}
