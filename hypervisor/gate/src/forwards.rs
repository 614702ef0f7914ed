//! The ranges of one VM's filter that go to EL3, for the vectors to search: the other part of what is worked out at its
//! start, beside the [`Answers`](crate::fast_table::Answers).

use core::sync::atomic::{AtomicU32, Ordering};

use crate::filter::Filter;
use crate::identifiers::MAX_RANGES;

/// A range of functions.
#[derive(Debug)]
#[repr(C)]
pub struct Forwarded {
    /// First function identifier.
    pub first: AtomicU32,
    /// Last function identifier.
    pub last: AtomicU32,
}

/// Ranges in ascending order; unused ones, which hold nothing, come last.
///
/// The vectors halve the table five times, so it has always as many.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Forwards {
    ranges: [Forwarded; MAX_RANGES],
}

/// Bits of a fast call's identifier that are zero: the SVE hint and the reserved ones.
const MALFORMED: u32 = 0x00ff_0000;

impl Forwards {
    /// No range.
    pub const fn new() -> Self {
        Self { ranges: [const { Forwarded { first: AtomicU32::new(u32::MAX), last: AtomicU32::new(0) } }; MAX_RANGES] }
    }

    /// Takes over the forwarded ranges of `filter`. The caller knows that no vCPU of the VM runs, and publishes the table by
    /// whatever starts one.
    pub fn build(&self, filter: &Filter) {
        let ranges = filter.forwarded().map(|range| (range.first, range.last));
        for (cell, (first, last)) in self.ranges.iter().zip(ranges.chain(core::iter::repeat((u32::MAX, 0)))) {
            cell.first.store(first, Ordering::Relaxed);
            cell.last.store(last, Ordering::Relaxed);
        }
    }

    /// Whether a function is in a range: the last one that begins at it or before it holds it, and bits 23:16 are zero.
    pub fn contain(&self, function: u32) -> bool {
        let begun = self.ranges.partition_point(|range| range.first.load(Ordering::Relaxed) <= function);
        let range = begun.checked_sub(1).and_then(|at| self.ranges.get(at));
        function & MALFORMED == 0 && range.is_some_and(|range| function <= range.last.load(Ordering::Relaxed))
    }
}

impl Default for Forwards {
    fn default() -> Self {
        Self::new()
    }
}
