//! A wait for another core, and when it has taken too long.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How long something has been waited for, and whether that was said.
#[derive(Debug, Default)]
pub struct Wait {
    since: AtomicU64,
    told: AtomicBool,
}

impl Wait {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self { since: AtomicU64::new(0), told: AtomicBool::new(false) }
    }

    /// What is waited for from here on was asked at `now`, in ticks of the counter.
    pub fn begin(&self, now: u64) {
        self.since.store(now, Ordering::Relaxed);
        self.told.store(false, Ordering::Relaxed);
    }

    /// Whether a second has passed at `now`, on a counter of `frequency` Hz, and nobody was told so before.
    pub fn is_overdue(&self, now: u64, frequency: u64) -> bool {
        let passed = now.saturating_sub(self.since.load(Ordering::Relaxed));
        passed > frequency.max(1) && !self.told.swap(true, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_told_of_once() {
        let wait = Wait::new();
        wait.begin(500);
        assert!(!wait.is_overdue(1500, 1000));
        assert!(wait.is_overdue(1501, 1000));
        assert!(!wait.is_overdue(9000, 1000));
        wait.begin(9000);
        assert!(!wait.is_overdue(9500, 1000));
        assert!(wait.is_overdue(10_001, 1000));
    }
}
