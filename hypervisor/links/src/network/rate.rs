//! How many frames a port may send.

/// A rate of frames: so many a second, and a few at once. Time is counter ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Ticks from one frame to the next.
    interval: u64,
    /// Ticks that frames may be early.
    tolerance: u64,
    /// When the next one would be due.
    next: u64,
}

impl Rate {
    /// Frames that may come at once.
    pub const BURST: u64 = 64;

    /// So many frames a second, of a counter with `frequency` ticks a second. None: no frame could ever be sent.
    pub const fn new(frames: u32, frequency: u64) -> Option<Self> {
        let Some(interval) = frequency.checked_div(frames as u64) else { return None };
        Some(Self { interval, tolerance: interval.saturating_mul(Self::BURST - 1), next: 0 })
    }

    /// Whether a frame may be sent now; then it is counted.
    pub const fn take(&mut self, now: u64) -> bool {
        let due = if self.next > now { self.next } else { now };
        if due > now.saturating_add(self.tolerance) {
            return false;
        }
        self.next = due.saturating_add(self.interval);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_it_says_and_a_few_at_once() {
        const SECONDS: u64 = if cfg!(miri) { 1 } else { 10 };
        let mut rate = Rate::new(1000, 1_000_000).unwrap();
        assert_eq!((0..1000).filter(|_| rate.take(5000)).count() as u64, Rate::BURST);
        assert!(rate.take(6000) && !rate.take(6000), "one more after a thousandth");
        let passed = (7_000..7_000 + SECONDS * 1_000_000).step_by(50).filter(|now| rate.take(*now)).count();
        let expected = SECONDS as usize * 1000;
        assert!((expected..expected + 2).contains(&passed), "{passed} in {SECONDS} seconds");
        assert_eq!(Rate::new(0, 1_000_000), None);
    }
}
