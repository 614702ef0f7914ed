//! The PTP call of Linux KVM: time of day and the guest's counter, taken at one moment.

use portcullis_arch::timer;
use portcullis_board::WallClock;
use portcullis_gate::Return;

/// Argument: the guest's virtual counter.
const VIRTUAL: u64 = 0;
/// Argument: the guest's physical counter.
const PHYSICAL: u64 = 1;

/// Serves the call for a guest whose virtual counter lags behind by `offset` ticks, and whose physical one by `physical`. Until
/// the clock has found where its seconds begin the answer is that there is none: one that is wrong by up to a second would have to
/// be taken back, and to wait would take as long.
#[inline]
pub fn serve(clock: Option<&dyn WallClock>, counter: u64, offset: u64, physical: impl FnOnce() -> u64) -> Return {
    let Some(clock) = clock else { return Return::NOT_SUPPORTED };
    let Some(lag) = lag(counter, offset, physical) else { return Return::NOT_SUPPORTED };
    answer(clock, timer::count(), lag).unwrap_or(Return::NOT_SUPPORTED)
}

/// The answer while the physical counter stands at `count`, for a counter that lags behind it by `lag` ticks.
#[inline]
fn answer(clock: &dyn WallClock, count: u64, lag: u64) -> Option<Return> {
    Some(pair(clock.exact_at(count)?, count.wrapping_sub(lag)))
}

/// How far the counter that the guest asked for lags behind the machine's, if there is such a counter.
fn lag(counter: u64, offset: u64, physical: impl FnOnce() -> u64) -> Option<u64> {
    match counter {
        VIRTUAL => Some(offset),
        PHYSICAL => Some(physical()),
        _ => None,
    }
}

/// Time and counter in zero-extended halves.
fn pair(nanoseconds: u64, cycles: u64) -> Return {
    Return([nanoseconds >> 32, nanoseconds & 0xffff_ffff, cycles >> 32, cycles & 0xffff_ffff])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_zero_extended() {
        let at = 0x1811_2233_ffee_ddcc;
        assert_eq!(pair(at, 0xf_8000_0001), Return([0x1811_2233, 0xffee_ddcc, 0xf, 0x8000_0001]));
    }

    /// A clock that knows the second at once, and from count 100 on where it begins.
    struct Young;

    impl WallClock for Young {
        fn at(&self, count: u64) -> Option<u64> {
            Some(7_000_000_000 + count)
        }

        fn exact_at(&self, count: u64) -> Option<u64> {
            (count >= 100).then_some(8_500_000_000 + count)
        }

        fn tick(&self, _: u64) -> Option<u64> {
            None
        }

        fn name(&self) -> &'static str {
            "young"
        }
    }

    #[test]
    fn a_time_that_would_be_taken_back_is_not_told() {
        for lag in [0, 50] {
            assert_eq!(answer(&Young, 99, lag), None);
            assert_eq!(answer(&Young, 100, lag), Some(pair(8_500_000_100, 100 - lag)));
        }
    }

    #[test]
    fn the_virtual_counter_is_the_guest_s_own() {
        assert_eq!(answer(&Young, 0x2_0000_0000, 1), Some(pair(8_500_000_000 + 0x2_0000_0000, 0x1_ffff_ffff)));
        assert_eq!([VIRTUAL, PHYSICAL].map(|counter| lag(counter, 7, || 3)), [Some(7), Some(3)]);
        assert_eq!([2, 3, u64::MAX].map(|counter| lag(counter, 0, || 3)), [None; 3]);
    }
}
