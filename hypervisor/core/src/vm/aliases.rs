//! Which cores have some of a VM's RAM mapped for work at links.
//!
//! A core keeps the blocks that it used last, also those of a VM that has no vCPU there. Before a VM is loaded or scrubbed past the
//! caches, each core that has some of its RAM has to forget that: while a write-back alias is there, lines may come into the
//! caches by speculation (Arm ARM, B2.7.2). Each is asked for it, and nobody waits but the VM that is to be loaded.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Most cores of a board: each has a bit.
pub const CORES: usize = u32::BITS as usize;

/// See the module.
#[derive(Debug, Default)]
pub struct Aliases {
    /// Cores that may have some, a bit each.
    cores: AtomicU32,
    /// They are to forget it.
    ended: AtomicBool,
}

const fn bit(core: usize) -> u32 {
    if core < CORES { 1 << core } else { 0 }
}

impl Aliases {
    /// No core has any.
    pub const fn new() -> Self {
        Self { cores: AtomicU32::new(0), ended: AtomicBool::new(false) }
    }

    /// Core `core`, this one, is about to have some. False: it cannot be asked to forget it, and must not.
    #[must_use]
    #[inline]
    pub fn note(&self, core: usize) -> bool {
        let bit = bit(core);
        // Mostly it has, and then nothing is written.
        if self.cores.load(Ordering::Relaxed) & bit == 0 {
            self.cores.fetch_or(bit, Ordering::SeqCst);
        }
        bit != 0
    }

    /// Core `core`, this one, has none any more. Returns whether that was the last one that a VM which has ended waits for.
    pub fn forgotten(&self, core: usize) -> bool {
        let had = self.cores.fetch_and(!bit(core), Ordering::SeqCst);
        had != 0 && had & !bit(core) == 0 && self.ended.load(Ordering::SeqCst)
    }

    /// The VM has ended, and nobody begins work for it any more: all are to forget it. Returns which, a bit each.
    pub fn end(&self) -> u32 {
        self.ended.store(true, Ordering::SeqCst);
        self.cores.load(Ordering::SeqCst)
    }

    /// Whether core `core`, this one, is to forget what it has.
    pub fn is_to_forget(&self, core: usize) -> bool {
        self.ended.load(Ordering::SeqCst) && self.cores.load(Ordering::SeqCst) & bit(core) != 0
    }

    /// Whether the VM has ended, and all have forgotten it: it may be loaded.
    pub fn are_gone(&self) -> bool {
        let gone = self.cores.load(Ordering::SeqCst) == 0;
        if gone {
            self.ended.store(false, Ordering::SeqCst);
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vm_is_loaded_when_every_core_has_forgotten_it() {
        let aliases = Aliases::new();
        assert!(aliases.are_gone(), "nobody had any");
        assert!(aliases.note(3) && aliases.note(31) && aliases.note(3));
        assert!(!aliases.is_to_forget(3), "it runs");
        assert_eq!(aliases.end(), 1 << 3 | 1 << 31);
        assert!(aliases.is_to_forget(3) && !aliases.is_to_forget(4) && !aliases.are_gone());
        assert!(!aliases.forgotten(3));
        assert!(!aliases.is_to_forget(3) && !aliases.are_gone());
        assert!(aliases.forgotten(31) && !aliases.forgotten(31), "the last one is known");
        assert!(aliases.are_gone());
        assert!(aliases.note(3) && !aliases.is_to_forget(3), "the next life");
        assert!(!aliases.note(CORES));
    }
}
