//! Which vCPUs of a VM are on, and which of these stand still: both in one word, so that "all of them" has one answer.

use core::sync::atomic::{AtomicU32, Ordering};

/// Where the parked vCPUs lie in the word, above those that are on.
const PARKED: u32 = 16;

/// The sets at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// vCPUs that are not off, a bit each.
    pub on: u32,
    /// vCPUs that stand still.
    pub parked: u32,
}

impl Live {
    const fn new(word: u32) -> Self {
        Self { on: word & 0xffff, parked: word >> PARKED }
    }

    /// Whether every vCPU that is on stands still.
    pub const fn all_parked(self) -> bool {
        self.on & !self.parked == 0
    }
}

/// The sets; every core may change them.
#[derive(Debug, Default)]
pub struct VcpuSets(AtomicU32);

impl VcpuSets {
    /// All vCPUs are off.
    pub const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// The sets now.
    pub fn now(&self) -> Live {
        Live::new(self.0.load(Ordering::SeqCst))
    }

    /// The vCPU of this bit is no longer off.
    pub fn on(&self, bit: u32) {
        self.0.fetch_or(bit, Ordering::SeqCst);
    }

    /// The vCPU is off. Returns the sets without it.
    pub fn off(&self, bit: u32) -> Live {
        let both = bit | bit << PARKED;
        Live::new(self.0.fetch_and(!both, Ordering::SeqCst) & !both)
    }

    /// The vCPU stands still. Returns the sets with it.
    pub fn park(&self, bit: u32) -> Live {
        Live::new(self.0.fetch_or(bit << PARKED, Ordering::SeqCst) | bit << PARKED)
    }

    /// The vCPU goes on, if it is still to go on after this.
    pub fn unpark(&self, bit: u32) {
        self.0.fetch_and(!(bit << PARKED), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_known() {
        let sets = VcpuSets::new();
        assert!(sets.now().all_parked());
        sets.on(1);
        sets.on(1 << 7);
        assert_eq!(sets.park(1), Live { on: 0x81, parked: 1 });
        assert!(!sets.now().all_parked());
        assert!(sets.park(1 << 7).all_parked());
        sets.unpark(1);
        assert!(!sets.now().all_parked());
        assert!(sets.off(1).all_parked());
        assert_eq!(sets.off(1 << 7), Live { on: 0, parked: 0 });
    }
}
