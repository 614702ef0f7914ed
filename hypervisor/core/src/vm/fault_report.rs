//! How often a VM's faults are worth a line: one a second, and how many were left out.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

/// See the module.
#[derive(Debug, Default)]
pub struct FaultReport {
    /// Physical counter from which on there may be a line again.
    next: AtomicU64,
    /// Faults since the last line.
    unsaid: AtomicU64,
}

/// Faults that had no line of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsaid(u64);

impl fmt::Display for Unsaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            more => write!(f, "; and {more} more since the last line"),
        }
    }
}

impl FaultReport {
    /// No fault so far.
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), unsaid: AtomicU64::new(0) }
    }

    /// Counts a fault at `now`, in ticks of which `second` are a second. Some: it may have a line, which says what went
    /// before.
    pub fn is_due(&self, now: u64, second: u64) -> Option<Unsaid> {
        let next = self.next.load(Ordering::Relaxed);
        let later = now.saturating_add(second);
        // Of the vCPUs that come at once, one has the line.
        let mine = now >= next && self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if mine {
            return Some(Unsaid(self.unsaid.swap(0, Ordering::Relaxed)));
        }
        self.unsaid.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_line_a_second_and_nothing_is_lost() {
        let report = FaultReport::default();
        let said = (0..100).filter_map(|n| report.is_due(n * 100, 1000)).collect::<Vec<_>>();
        assert_eq!(said.len(), 10);
        assert_eq!((said[0], said[1]), (Unsaid(0), Unsaid(9)));
        assert_eq!(said[1].to_string(), "; and 9 more since the last line");
        assert_eq!(said[0].to_string(), "");
    }
}
