//! How far a VM is loaded.

use super::seed::Seed;

/// What is put in place, in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The VM's former life goes out of the caches: the guest starts with its own off, and a line of then must not come over
    /// what it writes.
    #[default]
    Cached,
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
