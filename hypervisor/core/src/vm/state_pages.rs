//! What a VM says of itself in memory that it shares: the first pages of it are one per VM, which that one writes and the
//! others read.

use alloc::vec::Vec;

use portcullis_board::Range;
use portcullis_bundle::guest_tree::Shared;
pub use portcullis_bundle::links::STATE_PAGE;

use crate::memory::guest::GuestMemory;

/// A VM's end of memory that it shares with others, as its own tables map it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedEnd {
    /// The name of the memory.
    pub name: &'static str,
    /// Where the VM has it.
    pub ipa: u64,
    /// The memory, in whole blocks: a state page per VM, and behind them what is shared.
    pub memory: Range,
    /// Bytes of it that the VM is shown.
    pub size: u64,
    /// Which of the state pages is its own.
    pub place: usize,
    /// The guests have it in their caches.
    pub cached: bool,
}

impl SharedEnd {
    /// What the VM's device tree says of it.
    pub fn node(&self) -> Shared<'static> {
        Shared { name: self.name, at: Range::sized(self.ipa, self.size), place: self.place as u32 }
    }

    /// Sets the VM's state page to zero, on core `core`, on which this has to run: nothing is left of what it said of itself.
    pub(crate) fn clear(&self, core: usize) {
        // SAFETY: it is RAM of the VMs that share it and of nobody else, in whole blocks; every caller runs on the core that it
        // names.
        let Some(mut memory) = (unsafe { GuestMemory::new(core, 0, self.memory) }) else { return };
        let at = STATE_PAGE.saturating_mul(self.place as u64);
        // Whoever has it in a cache sees what another core writes there; whoever has it in none reads what is in memory.
        let cleared = match self.cached {
            true => memory.fill(at, STATE_PAGE as usize, 0),
            false => memory.clear(at, STATE_PAGE as usize),
        };
        debug_assert!(cleared.is_ok(), "it has a page for each VM");
    }
}

/// A VM's ends of all memory that it shares.
pub type SharedEnds = Vec<SharedEnd>;
