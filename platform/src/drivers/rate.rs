//! How fast the counter really runs, measured once at boot against a clock that runs apart from it. CNTFRQ_EL0 is only what
//! firmware has written there, and guests believe it: nothing else tells them, and EL2 cannot change it.

use core::fmt;

/// A clock that runs apart from the counter.
pub trait Reference {
    /// Microseconds, modulo 2 to the power of 32.
    fn microseconds(&self) -> u32;
}

/// Length of the measurement in microseconds.
const LENGTH: u32 = 4000;
/// Looks at each end of it, of which the best counts: something may come between two readings.
const LOOKS: usize = 8;
/// How far CNTFRQ_EL0 may be off, in parts of a thousand.
const TOLERANCE: u64 = 10;

/// What a measurement came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// CNTFRQ_EL0 is right.
    Right,
    /// It says `claimed`, and the counter runs at `measured`, in Hz.
    Wrong {
        /// CNTFRQ_EL0.
        claimed: u64,
        /// What was measured.
        measured: u64,
    },
    /// The other clock stands still.
    Stopped,
}

/// A moment on both clocks.
struct Moment {
    count: u64,
    microseconds: u32,
}

/// The moment now: the one of several looks between whose two readings of the counter the least time went by.
fn look(reference: &dyn Reference, count: &impl Fn() -> u64) -> Moment {
    let mut best = (u64::MAX, Moment { count: 0, microseconds: 0 });
    for _ in 0..LOOKS {
        let before = count();
        let microseconds = reference.microseconds();
        let width = count().saturating_sub(before);
        if width < best.0 {
            best = (width, Moment { count: before.saturating_add(width / 2), microseconds });
        }
    }
    best.1
}

/// Measures the counter, which `count` reads and whose frequency is said to be `claimed` Hz. Takes 4 ms, or up to 400 ms of a
/// counter whose reference stands still.
pub fn measure(claimed: u64, reference: &dyn Reference, count: impl Fn() -> u64) -> Rate {
    let start = look(reference, &count);
    let limit = start.count.saturating_add(claimed.max(1_000_000) * 2 / 5);
    while reference.microseconds().wrapping_sub(start.microseconds) < LENGTH {
        if count() > limit {
            return Rate::Stopped;
        }
    }
    let end = look(reference, &count);
    let ticks = end.count.saturating_sub(start.count);
    let microseconds = end.microseconds.wrapping_sub(start.microseconds).max(1);
    judge(claimed, ticks.saturating_mul(1_000_000) / u64::from(microseconds))
}

fn judge(claimed: u64, measured: u64) -> Rate {
    let off = claimed.abs_diff(measured);
    if off.saturating_mul(1000) <= measured.saturating_mul(TOLERANCE) {
        return Rate::Right;
    }
    Rate::Wrong { claimed, measured }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Right => write!(f, "counter: CNTFRQ_EL0 is right"),
            Self::Wrong { claimed, measured } => {
                let tenths = |hertz: u64| hertz.saturating_add(50_000) / 100_000;
                let [claimed, measured] = [claimed, measured].map(tenths);
                write!(
                    f,
                    "counter: it runs at {}.{} MHz, and CNTFRQ_EL0 says {}.{} MHz: guests' clocks are wrong by as much",
                    measured / 10,
                    measured % 10,
                    claimed / 10,
                    claimed % 10
                )
            }
            Self::Stopped => write!(f, "counter: not measured, the board's other clock stands still"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Both clocks in nanoseconds; a reading takes some, and now and then much longer.
    struct Clocks {
        now: Cell<u64>,
        readings: Cell<u64>,
        pause: u64,
        hertz: u64,
    }

    impl Clocks {
        fn pass(&self) -> u64 {
            self.readings.set(self.readings.get() + 1);
            let pause = if self.readings.get().is_multiple_of(5) { self.pause } else { 0 };
            self.now.set(self.now.get() + 200 + pause);
            self.now.get()
        }
    }

    impl Reference for Clocks {
        fn microseconds(&self) -> u32 {
            (self.pass() / 1000 + u64::from(u32::MAX) - 1000) as u32
        }
    }

    fn measured(claimed: u64, hertz: u64, pause: u64) -> Rate {
        let clocks = Clocks { now: Cell::new(0), readings: Cell::new(0), pause, hertz };
        measure(claimed, &clocks, || (u128::from(clocks.pass()) * u128::from(clocks.hertz) / 1_000_000_000) as u64)
    }

    #[test]
    fn a_right_frequency_is_right_across_the_wrap_and_with_pauses() {
        for hertz in [1_000_000, 54_000_000, 62_500_000, 1_000_000_000] {
            for pause in [0, 50_000, 1_000_000] {
                assert_eq!(measured(hertz, hertz, pause), Rate::Right, "{hertz} {pause}");
            }
        }
    }

    #[test]
    fn a_wrong_one_is_told() {
        let rate = measured(54_000_000, 62_500_000, 0);
        assert!(matches!(rate, Rate::Wrong { claimed: 54_000_000, measured: 62_400_000..62_600_000 }), "{rate:?}");
        assert!(rate.to_string().contains("runs at 62.5 MHz, and CNTFRQ_EL0 says 54.0 MHz"), "{rate}");
        assert!(matches!(measured(0, 54_000_000, 0), Rate::Wrong { .. }));
        assert!(matches!(measured(108_000_000, 54_000_000, 0), Rate::Wrong { .. }));
    }

    #[test]
    fn the_limit_is_a_hundredth() {
        assert_eq!(judge(50_500_000, 50_000_000), Rate::Right);
        assert_eq!(judge(49_500_000, 50_000_000), Rate::Right);
        assert!(matches!(judge(50_500_001, 50_000_000), Rate::Wrong { .. }));
        assert!(matches!(judge(0, 1), Rate::Wrong { .. }));
    }

    #[test]
    fn a_clock_that_stands_still_ends_it() {
        struct Still;
        impl Reference for Still {
            fn microseconds(&self) -> u32 {
                7
            }
        }
        let count = Cell::new(0);
        let rate = measure(54_000_000, &Still, || {
            count.set(count.get() + 1000);
            count.get()
        });
        assert_eq!(rate, Rate::Stopped);
    }
}
