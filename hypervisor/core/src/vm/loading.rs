//! How far a VM is loaded.

use super::seed::Seed;

/// What is put in place, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// What is in RAM goes, or goes out of the caches at least: see [`Contents`].
    #[default]
    Ram,
    /// The first bank of flash, in the VM's first life.
    First,
    /// The second one.
    Second,
    /// The kernel.
    Kernel,
    /// The initial RAM disk.
    Initrd,
    /// What is missing of the random words.
    Seed,
    /// The device tree.
    Tree,
}

/// What a VM's RAM has before the VM is loaded. Its guest starts with its caches off: no line of then must come over what it
/// writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// What whoever had the memory before has left there, a boot loader for one. All of it is set to zero.
    Foreign,
    /// Nothing but zeros, and the caches have nothing of it.
    Zeros,
    /// A former life of the VM, which it may find again, as on a board. It is written back, and goes out of the caches.
    Life,
}

/// How far a VM is loaded.
#[derive(Clone, Copy, Debug, Default)]
pub struct Loading {
    /// What the device tree will have of random words.
    pub seed: Seed,
    /// What is put in place now.
    pub part: Part,
    /// Bytes of the part that are done.
    done: u64,
}

impl Loading {
    /// Goes on with the next part.
    pub fn next(&mut self, part: Part) {
        *self = Self { part, done: 0, ..*self };
    }

    /// The next piece of a part of `length` bytes, `most` at a time: where it begins, and how long it is, zero at the end.
    pub fn piece(&mut self, length: u64, most: u64) -> (u64, u64) {
        let (start, size) = (self.done, length.saturating_sub(self.done).min(most));
        self.done = start.saturating_add(size);
        (start, size)
    }
}
