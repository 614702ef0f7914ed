//! How many operations at rings a process has come to, over all of its inputs: what a driver writes to a ring or a table, and what
//! a device takes, gives back or shows.

use std::sync::atomic::{AtomicU64, Ordering};

/// Operations between two lines that tell of them.
const STEP: u64 = 1 << 18;

static DONE: AtomicU64 = AtomicU64::new(0);

/// Counts so many operations. A line on the error output says now and then how many it were; the last one is what is counted.
pub fn count(operations: u64) {
    let before = DONE.fetch_add(operations, Ordering::Relaxed);
    let after = before + operations;
    if before / STEP != after / STEP {
        eprintln!("ring operations: {after}");
    }
}
