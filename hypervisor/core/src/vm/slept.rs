//! How long a VM has slept, its guest having suspended it.
//!
//! The VM's virtual counter runs on meanwhile. What is to stand still while it sleeps measures by that counter less this.

use core::sync::atomic::{AtomicU64, Ordering};

/// Stands for "since never".
const NEVER: u64 = 0;

/// The sleep of one VM in this life, in ticks of its virtual counter. The core of the vCPU that suspends and wakes is the only one
/// that writes; every core may read.
#[derive(Debug, Default)]
pub struct Slept {
    total: AtomicU64,
    since: AtomicU64,
}

impl Slept {
    /// Makes that of a VM that has not slept.
    pub const fn new() -> Self {
        Self { total: AtomicU64::new(0), since: AtomicU64::new(NEVER) }
    }

    /// Forgets a former life.
    pub fn reset(&self) {
        self.since.store(NEVER, Ordering::Relaxed);
        self.total.store(0, Ordering::Relaxed);
    }

    /// Notes that the VM sleeps from `now` on.
    pub fn falls_asleep(&self, now: u64) {
        self.since.store(now.max(1), Ordering::Relaxed);
    }

    /// Notes that it goes on at `now`, if it slept.
    pub fn wakes(&self, now: u64) {
        let total = self.total(now);
        self.since.store(NEVER, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Tells whether it sleeps.
    pub fn is_asleep(&self) -> bool {
        self.since.load(Ordering::Relaxed) != NEVER
    }

    /// Returns how many ticks it has slept until `now`. Who reads this while it wakes may see one sleep too little or, if short,
    /// none; who depends on it asks again when the VM runs.
    pub fn total(&self, now: u64) -> u64 {
        let since = self.since.load(Ordering::Relaxed);
        let sleep = if since == NEVER { 0 } else { now.saturating_sub(since) };
        self.total.load(Ordering::Relaxed).saturating_add(sleep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sleep_counts_once() {
        let slept = Slept::new();
        assert_eq!((slept.total(500), slept.is_asleep()), (0, false));
        slept.falls_asleep(1000);
        assert_eq!((slept.total(1400), slept.is_asleep()), (400, true));
        slept.wakes(1500);
        slept.wakes(1600);
        assert_eq!((slept.total(2000), slept.is_asleep()), (500, false));
        slept.falls_asleep(3000);
        assert_eq!(slept.total(3001), 501);
        slept.reset();
        assert_eq!((slept.total(9000), slept.is_asleep()), (0, false));
    }
}
