//! How many lines of the log a VM can cause: a token bucket.
//!
//! What a guest does again and again makes [`BURST`] lines at once and then one a second. The end of its VM has tokens of its
//! own, so that no flood before it keeps the operator from reading why.

use portcullis_abi::map::MAX_VCPUS;

/// Lines about a VM that come at once, of what it can do again and again.
pub const BURST: u32 = 5;
/// Further ones about its end: why each of its vCPUs stopped, and that the VM is off, with some to spare.
pub const ENDS: u32 = MAX_VCPUS as u32 + 4;

/// What a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Something that the guest goes on after.
    Repeatable,
    /// The end of the VM, which only a manager starts again.
    End,
}

/// The lines that one VM may still cause.
#[derive(Debug)]
pub struct LineRate {
    tokens: u32,
    /// The counter when the last token came in.
    since: u64,
    left_out: u32,
}

impl LineRate {
    /// Makes a full bucket.
    pub const fn new() -> Self {
        Self { tokens: BURST + ENDS, since: 0, left_out: 0 }
    }

    /// Takes the token of a line at `now`, on a counter of `frequency` Hz. Returns how many lines were left out since the last
    /// one that was not; none if this one is to be left out too.
    pub fn take(&mut self, occasion: Occasion, now: u64, frequency: u64) -> Option<u32> {
        self.refill(now, frequency.max(1));
        let reserve = match occasion {
            Occasion::Repeatable => ENDS,
            Occasion::End => 0,
        };
        if self.tokens <= reserve {
            self.leave_out();
            return None;
        }
        self.tokens = self.tokens.saturating_sub(1);
        Some(core::mem::take(&mut self.left_out))
    }

    /// Counts a line as left out: there was a token, but no room.
    pub const fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
    }

    /// Puts in a token for each second that has passed.
    fn refill(&mut self, now: u64, frequency: u64) {
        let seconds = now.saturating_sub(self.since) / frequency;
        let tokens = u64::from(self.tokens).saturating_add(seconds).min(u64::from(BURST + ENDS)) as u32;
        self.since =
            if tokens == BURST + ENDS { now } else { self.since.saturating_add(seconds.wrapping_mul(frequency)) };
        self.tokens = tokens;
    }
}

impl Default for LineRate {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HZ: u64 = 1000;

    #[test]
    fn a_burst_and_then_one_a_second() {
        let mut rate = LineRate::new();
        let taken = (0..60 * HZ).filter(|&now| rate.take(Occasion::Repeatable, now, HZ).is_some()).count();
        assert_eq!(taken, BURST as usize + 59);
    }

    #[test]
    fn what_was_left_out_is_counted_once() {
        let mut rate = LineRate::new();
        let (mut shown, mut told) = (0, 0);
        for now in (0..10 * HZ).step_by(7) {
            if let Some(left_out) = rate.take(Occasion::Repeatable, now, HZ) {
                shown += 1;
                told += left_out;
            }
        }
        let last = rate.take(Occasion::End, 10 * HZ, HZ).unwrap();
        assert_eq!(shown + told + last, (10 * HZ).div_ceil(7) as u32);
        assert_eq!(rate.take(Occasion::End, 10 * HZ, HZ), Some(0));
    }

    #[test]
    fn a_flood_leaves_the_end_its_lines() {
        let mut rate = LineRate::new();
        for now in 0..100 * HZ {
            let _ = rate.take(Occasion::Repeatable, now, HZ);
        }
        let ends = (0..100).filter(|_| rate.take(Occasion::End, 100 * HZ, HZ).is_some()).count();
        assert!(ends >= ENDS as usize, "{ends}");
        assert!(
            ends <= (BURST + ENDS) as usize,
            "the end of a VM can be a flood too, if a manager starts it each time"
        );
    }

    #[test]
    fn rest_fills_the_bucket_and_no_more() {
        let mut rate = LineRate::new();
        for life in 0..4 {
            let now = life * 3600 * HZ;
            let taken = (0..100).filter(|_| rate.take(Occasion::Repeatable, now, HZ).is_some()).count();
            assert_eq!(taken, BURST as usize);
        }
    }

    #[test]
    fn a_counter_that_stands_still_or_has_no_frequency_is_survived() {
        let mut rate = LineRate::new();
        assert_eq!((0..100).filter(|_| rate.take(Occasion::Repeatable, 0, 0).is_some()).count(), BURST as usize);
        assert!(rate.take(Occasion::Repeatable, u64::MAX, 0).is_some());
        assert!(rate.take(Occasion::Repeatable, 0, HZ).is_some(), "a counter that goes back");
    }
}
