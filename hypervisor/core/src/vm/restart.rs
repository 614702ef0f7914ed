//! When a VM starts again by itself: never, or when it fails, up to a limit.

use core::sync::atomic::{AtomicU32, Ordering};

/// What the manifest says, and how often it has been done.
#[derive(Debug)]
pub struct RestartPolicy {
    limit: u32,
    /// Restarts on failure since a manager last made or restarted the VM.
    used: AtomicU32,
    /// Restarts for whatever cause since creation.
    total: AtomicU32,
}

impl RestartPolicy {
    /// A VM that starts again up to `limit` times when it fails; zero: never.
    pub const fn new(limit: u32) -> Self {
        Self { limit, used: AtomicU32::new(0), total: AtomicU32::new(0) }
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
    pub fn count(&self, failed: bool) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if failed {
            self.used.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A manager restarts the VM: what the policy allows begins anew.
    pub fn renew(&self) {
        self.used.store(0, Ordering::Relaxed);
    }

    /// Restarts since creation.
    pub fn total(&self) -> u32 {
        self.total.load(Ordering::Relaxed)
    }

    /// The VM is made anew.
    pub fn reset(&self) {
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
}
