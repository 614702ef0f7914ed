//! What a vCPU has had of its core. Its core keeps the account; every core may read it.

use core::sync::atomic::{AtomicU64, Ordering};

use super::activity::Times;

/// Stands for "since never".
const NEVER: u64 = 0;

/// The account of one vCPU, in ticks of the physical counter. Every word is written by the vCPU's own core alone; while the
/// vCPU is off it is who switches it on, or who starts its VM, that writes.
#[derive(Debug, Default)]
pub struct Timekeeping {
    /// Ran, until it last left its core.
    ran: AtomicU64,
    /// Runnable and not running, until it last came onto its core.
    stolen: AtomicU64,
    /// Changes over to it.
    switches: AtomicU64,
    /// Since when it has been running.
    running_since: AtomicU64,
    /// Since when it has been runnable without running.
    runnable_since: AtomicU64,
}

impl Timekeeping {
    /// An account of nothing.
    pub const fn new() -> Self {
        Self {
            ran: AtomicU64::new(0),
            stolen: AtomicU64::new(0),
            switches: AtomicU64::new(0),
            running_since: AtomicU64::new(NEVER),
            runnable_since: AtomicU64::new(NEVER),
        }
    }

    /// From `now` on it would run.
    pub fn becomes_runnable(&self, now: u64) {
        self.runnable_since.store(now.max(1), Ordering::Relaxed);
    }

    /// From `now` on it would not run, nor does it.
    pub fn stops_being_runnable(&self, now: u64) {
        let since = self.runnable_since.load(Ordering::Relaxed);
        if since != NEVER {
            self.runnable_since.store(NEVER, Ordering::Relaxed);
            add(&self.stolen, now.saturating_sub(since));
        }
    }

    /// It runs from `now` on.
    pub fn enters(&self, now: u64) {
        self.stops_being_runnable(now);
        self.running_since.store(now.max(1), Ordering::Relaxed);
    }

    /// It does not run any more. False if it did not before.
    pub fn leaves(&self, now: u64) -> bool {
        let since = self.running_since.load(Ordering::Relaxed);
        if since != NEVER {
            self.running_since.store(NEVER, Ordering::Relaxed);
            add(&self.ran, now.saturating_sub(since));
        }
        since != NEVER
    }

    /// Whether it runs.
    pub fn is_running(&self) -> bool {
        self.running_since.load(Ordering::Relaxed) != NEVER
    }

    /// The physical counter when it began to run; 0 if it does not.
    pub fn running_since(&self) -> u64 {
        self.running_since.load(Ordering::Relaxed)
    }

    /// Its core has changed over to it.
    pub fn count_switch(&self) {
        add(&self.switches, 1);
    }

    /// Ticks of stolen time, as they were when it last came onto its core.
    pub fn stolen(&self) -> u64 {
        self.stolen.load(Ordering::Relaxed)
    }

    /// The account at `now`. What goes on counts until then; of what changes in the meantime the one or the other is seen.
    pub fn read(&self, now: u64) -> Times {
        let open = |since: &AtomicU64| match since.load(Ordering::Relaxed) {
            NEVER => 0,
            since => now.saturating_sub(since),
        };
        Times {
            ran: self.ran.load(Ordering::Relaxed).saturating_add(open(&self.running_since)),
            stolen: self.stolen().saturating_add(open(&self.runnable_since)),
            switches: self.switches.load(Ordering::Relaxed),
        }
    }

    /// Begins an account in which so many ticks were stolen before; the vCPU neither runs nor would.
    pub fn restore_stolen(&self, ticks: u64) {
        self.reset();
        self.stolen.store(ticks, Ordering::Relaxed);
    }

    /// Forgets a former life of the VM.
    pub fn reset(&self) {
        let Self { ran, stolen, switches, running_since, runnable_since } = self;
        for word in [ran, stolen, switches, running_since, runnable_since] {
            word.store(0, Ordering::Relaxed);
        }
    }
}

/// Nobody else writes the word.
fn add(word: &AtomicU64, amount: u64) {
    word.store(word.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ran: u64, stolen: u64) -> Times {
        Times { ran, stolen, switches: 0 }
    }

    #[test]
    fn every_tick_is_counted_once() {
        let account = Timekeeping::new();
        account.becomes_runnable(100);
        assert_eq!((account.read(130), account.stolen()), (times(0, 30), 0));
        account.enters(150);
        assert_eq!((account.read(160), account.stolen()), (times(10, 50), 50));
        assert!(account.leaves(200));
        assert!(!account.leaves(220));
        // It waits for an interrupt: neither.
        assert_eq!(account.read(300), times(50, 50));
        account.becomes_runnable(300);
        account.enters(310);
        assert!(account.leaves(320));
        assert_eq!(account.read(1000), times(60, 60));
    }

    #[test]
    fn a_pause_is_not_stolen() {
        let account = Timekeeping::new();
        account.becomes_runnable(100);
        account.stops_being_runnable(120);
        account.stops_being_runnable(500);
        account.becomes_runnable(1000);
        account.enters(1001);
        assert_eq!(account.read(1001), times(0, 21));
    }

    #[test]
    fn a_new_life_starts_at_nothing() {
        let account = Timekeeping::new();
        account.becomes_runnable(0);
        account.enters(10);
        account.count_switch();
        assert!(account.is_running());
        account.reset();
        assert_eq!(account.read(50), times(0, 0));
    }
}
