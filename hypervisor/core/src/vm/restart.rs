//! When a VM starts again by itself: never, or when it fails, up to a limit; and how soon.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use portcullis_abi::state::{self, Unfit};

/// Lives of one VM that may follow each other at once.
const BURST: u64 = 16;
/// Lives of one VM that begin in a second at the most, once that many have. What ends a life costs the cores that it was on, and
/// they may be others' too: 3200 instructions for the last vCPU that leaves.
const LIVES_A_SECOND: u64 = 50;

/// What the manifest says, and how often it has been done.
#[derive(Debug)]
pub struct RestartPolicy {
    limit: u32,
    /// Restarts on failure since a manager last made or restarted the VM.
    used: AtomicU32,
    /// Restarts for whatever cause since creation.
    total: AtomicU32,
    /// The counter when its present life begins, or is to begin.
    begins: AtomicU64,
    /// The counter when the life after it would begin if all of them were a part of a second apart.
    next: AtomicU64,
}

impl RestartPolicy {
    /// A VM that starts again up to `limit` times when it fails; zero: never.
    pub const fn new(limit: u32) -> Self {
        Self {
            limit,
            used: AtomicU32::new(0),
            total: AtomicU32::new(0),
            begins: AtomicU64::new(0),
            next: AtomicU64::new(0),
        }
    }

    /// Whether the VM starts again by itself at all.
    pub const fn restarts(&self) -> bool {
        self.limit != 0
    }

    /// Whether the VM, failing now, starts again.
    pub fn has_left(&self) -> bool {
        self.used.load(Ordering::Relaxed) < self.limit
    }

    /// The VM starts again; `failed`: because it failed.
    pub(super) fn count(&self, failed: bool) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.used.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A life begins at `now`, or later if it follows another one too soon; the counter has `frequency` Hz. `again`: it does
    /// follow one, without a manager's start in between.
    pub(super) fn begin(&self, again: bool, now: u64, frequency: u64) {
        let apart = frequency / LIVES_A_SECOND;
        let due = if again { self.next.load(Ordering::Relaxed).max(now) } else { now };
        self.next.store(due.saturating_add(apart), Ordering::Relaxed);
        self.begins.store(now.max(due.saturating_sub(apart.saturating_mul(BURST))), Ordering::Relaxed);
    }

    /// When its life begins, if that is not by `now`: until then its core has nothing to do for it.
    pub fn waits(&self, now: u64) -> Option<u64> {
        Some(self.begins.load(Ordering::Relaxed)).filter(|&begins| begins > now)
    }

    /// A manager restarts the VM: what the policy allows begins anew.
    pub(super) fn renew(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    /// Returns what is counted.
    pub fn save(&self) -> state::Restarts {
        let failures = self.used.load(Ordering::Relaxed);
        state::Restarts { version: state::Restarts::VERSION, failures, total: self.total(), reserved: 0 }
    }

    /// Takes on what was counted elsewhere. The limit stays that of the manifest, and the life that is restored follows none.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&self, saved: &state::Restarts) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Restarts::VERSION)?;
        if saved.reserved != 0 || saved.failures > saved.total {
            return Err(Unfit::Value("restarts"));
        }
        self.used.store(saved.failures, Ordering::Relaxed);
        self.total.store(saved.total, Ordering::Relaxed);
        self.begins.store(0, Ordering::Relaxed);
        self.next.store(0, Ordering::Relaxed);
        Ok(())
    }

    /// Restarts since creation.
    pub fn total(&self) -> u32 {
        self.total.load(Ordering::Relaxed)
    }

    /// The VM is made anew.
    pub(super) fn reset(&self) {
        self.renew();
        self.total.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_is_never() {
        let policy = RestartPolicy::new(0);
        assert!(!policy.restarts() && !policy.has_left());
    }

    #[test]
    fn lives_that_follow_each_other_are_spaced() {
        const HZ: u64 = 1000;
        let policy = RestartPolicy::new(0);
        policy.begin(false, 100, HZ);
        assert_eq!(policy.waits(100), None);
        let (mut now, mut lives) = (100, 0);
        while now < 100 + 10 * HZ {
            // It resets itself with its first instruction.
            policy.begin(true, now, HZ);
            now = policy.waits(now).unwrap_or(now);
            assert_eq!(policy.waits(now), None);
            lives += 1;
        }
        assert!((0..=1).contains(&(lives - 10 * LIVES_A_SECOND - BURST)), "{lives}");
        now += HZ;
        policy.begin(true, now, HZ);
        assert_eq!(policy.waits(now), None, "a life of a second is no loop");
        while policy.waits(now).is_none() {
            policy.begin(true, now, HZ);
        }
        policy.begin(false, now, HZ);
        assert_eq!(policy.waits(now), None, "a manager waits for nothing");
    }

    #[test]
    fn the_limit_counts_failures_only() {
        let policy = RestartPolicy::new(2);
        policy.count(false);
        for _ in 0..2 {
            assert!(policy.has_left());
            policy.count(true);
        }
        assert!(!policy.has_left());
        assert_eq!(policy.total(), 3);
        policy.renew();
        assert!(policy.has_left());
        assert_eq!(policy.total(), 3);
        policy.reset();
        assert_eq!(policy.total(), 0);
    }

    #[test]
    fn what_was_saved_counts_on() {
        let policy = RestartPolicy::new(3);
        [true, false, true].into_iter().for_each(|failed| policy.count(failed));
        let saved = policy.save();
        assert_eq!((saved.failures, saved.total), (2, 3));
        let restored = RestartPolicy::new(3);
        restored.begin(false, 1 << 40, 1000);
        assert_eq!(restored.restore(&saved), Ok(()));
        assert_eq!(restored.save(), saved);
        assert_eq!(restored.waits(1), None, "the counter may be another one");
        restored.count(true);
        assert!(!restored.has_left() && restored.total() == 4);
        let strict = RestartPolicy::new(1);
        assert_eq!(strict.restore(&saved), Ok(()));
        assert!(!strict.has_left(), "the manifest's limit counts");
    }

    #[test]
    fn what_cannot_have_been_saved_changes_nothing() {
        let policy = RestartPolicy::new(3);
        policy.count(true);
        let good = policy.save();
        for wrong in [
            state::Restarts { version: 2, ..good },
            state::Restarts { failures: 2, ..good },
            state::Restarts { reserved: 1, ..good },
        ] {
            assert!(policy.restore(&wrong).is_err());
            assert_eq!(policy.save(), good);
        }
    }
}
