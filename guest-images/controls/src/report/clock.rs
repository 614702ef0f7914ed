//! The machine's time of day.

use core::fmt;

use portcullis_abi::manage::{self, CLOCK_BOARD, CLOCK_CALL};

use crate::calls::{Calls, Failure};
use crate::date::Date;
use crate::problem::{Problem, Wrong};
use crate::status::Status;

/// Nanoseconds of a second.
const SECOND: u64 = 1_000_000_000;

/// The time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Nanoseconds since 1970 UTC.
    pub time: u64,
    /// The caller's virtual counter (CNTVCT_EL0) then.
    pub counter: u64,
    /// A `CLOCK_*`: where the time comes from.
    pub source: u64,
}

/// Reads the time of day.
///
/// # Errors
/// Those of the call.
pub fn read<C: Calls + ?Sized>(calls: &mut C) -> Result<Clock, C::Error> {
    let [time, counter, source] = calls.call(manage::CLOCK_GET, [0; 3])?;
    Ok(Clock { time, counter, source })
}

/// The moment that a word means.
///
/// # Errors
/// It means none.
pub fn parse(word: &str) -> Result<Date, Wrong> {
    Date::parse(word)
        .ok_or_else(|| Wrong::new(format_args!("{word:?} is no time: 2031-05-17T09:30:00Z, or seconds since 1970")))
}

/// Sets the time of day to what it was when the caller's virtual counter was `counter`.
///
/// # Errors
/// Those of the call.
pub fn set<C: Calls + ?Sized>(calls: &mut C, date: Date, counter: u64) -> Result<(), Problem<C::Error>> {
    match calls.call(manage::CLOCK_SET, [date.0.saturating_mul(SECOND), counter, 0]) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.status() {
            Some(status @ Status(manage::NOT_PERMITTED)) => Problem::Refused(
                status,
                Wrong::new(format_args!("this board has a real-time clock, whose time counts")),
            ),
            _ => Problem::Call(error),
        }),
    }
}

impl Clock {
    /// The second.
    pub const fn date(&self) -> Date {
        Date(self.time / SECOND)
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let origin = match self.source {
            CLOCK_BOARD => "from the board's real-time clock",
            CLOCK_CALL => "as it was set",
            _ => {
                return writeln!(f, "unknown: this board has no real-time clock, and `time set` has not been given");
            }
        };
        writeln!(f, "{}, {origin}", self.date())
    }
}
