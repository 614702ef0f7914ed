//! What a VM's watchdog does: the call of Linux' `arm,smc-wdt` as a state and its changes. Time is the VM's virtual counter, which
//! stands still while the VM is paused; while the VM is suspended it runs on, and the countdown is made to stand still.

use portcullis_abi::state::{self, Unfit};
use portcullis_abi::watchdog::{
    DISABLED, ENABLE, GET_TIMELEFT, INIT, INVALID_PARAMETERS, NOT_SUPPORTED, PET, SET_TIMEOUT, SUCCESS, TIMEOUT_MIN,
};

/// The watchdog of one VM, by its virtual counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// The longest timeout in seconds.
    longest: u32,
    /// Seconds of a timeout.
    timeout: u32,
    clock: Clock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// It is off.
    Off,
    /// It bites when the counter is there.
    Runs { until: u64 },
    /// It stands still, so many ticks before it bites.
    Stands { left: u64 },
}

/// What a call returns: a code, and the values of x1 and x2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// x0.
    pub code: i64,
    /// x1 and x2.
    pub values: [u32; 2],
}

impl Answer {
    const fn code(code: i64) -> Self {
        Self { code, values: [0; 2] }
    }
}

/// The counter when it bites, or [`u64::MAX`]: never, which no counter that begins at 0 comes to see.
const fn after(now: u64, ticks: u64) -> u64 {
    now.saturating_add(ticks)
}

impl Countdown {
    /// A watchdog that is off, whose longest timeout is so many seconds. It begins with that as its timeout.
    pub const fn new(longest: u32) -> Self {
        Self { longest, timeout: longest, clock: Clock::Off }
    }

    /// Makes it what it was at the VM's creation: the VM starts again.
    pub const fn reset(&mut self) {
        *self = Self::new(self.longest);
    }

    /// Makes the call: `function` is x1 and `argument` x2. `now` is the VM's counter, of `frequency` Hz.
    ///
    /// A new timeout counts from now on, as a pet does. Who pets, or asks how much is left, while it is off is told so.
    pub const fn call(&mut self, function: u32, argument: u32, now: u64, frequency: u64) -> Answer {
        match (function, argument) {
            (INIT, _) => return Answer { code: SUCCESS, values: [TIMEOUT_MIN, self.longest] },
            (SET_TIMEOUT, seconds) if seconds < TIMEOUT_MIN || seconds > self.longest => {
                return Answer::code(INVALID_PARAMETERS);
            }
            (SET_TIMEOUT, seconds) => {
                self.timeout = seconds;
                if self.is_on() {
                    self.begin(now, frequency);
                }
            }
            (ENABLE, 0) => self.clock = Clock::Off,
            (ENABLE, 1) => self.begin(now, frequency),
            (ENABLE, _) => return Answer::code(INVALID_PARAMETERS),
            (PET | GET_TIMELEFT, _) if !self.is_on() => return Answer::code(DISABLED),
            (PET, _) => self.begin(now, frequency),
            (GET_TIMELEFT, _) => return Answer { code: SUCCESS, values: [self.seconds_left(now, frequency), 0] },
            _ => return Answer::code(NOT_SUPPORTED),
        }
        Answer::code(SUCCESS)
    }

    /// Whether it is on, standing still or not.
    pub const fn is_on(&self) -> bool {
        !matches!(self.clock, Clock::Off)
    }

    /// The counter when it bites, if it is on and does not stand still.
    pub const fn until(&self) -> Option<u64> {
        match self.clock {
            Clock::Runs { until } => Some(until),
            Clock::Off | Clock::Stands { .. } => None,
        }
    }

    /// It stands still from `now` on, if it runs.
    pub const fn stand_still(&mut self, now: u64) {
        if let Clock::Runs { until } = self.clock {
            self.clock = Clock::Stands { left: until.saturating_sub(now) };
        }
    }

    /// It goes on at `now` from where it stood, if it stood still.
    pub const fn go_on(&mut self, now: u64) {
        if let Clock::Stands { left } = self.clock {
            self.clock = Clock::Runs { until: after(now, left) };
        }
    }

    /// Returns its state at `now`, for a VM that does not run.
    pub const fn save(&self, now: u64) -> state::Watchdog {
        state::Watchdog {
            version: state::Watchdog::VERSION,
            enabled: match self.clock {
                Clock::Off => 0,
                Clock::Runs { .. } => 1,
                Clock::Stands { .. } => 2,
            },
            timeout: self.timeout,
            reserved: 0,
            left: self.left(now),
        }
    }

    /// Takes on a state that was saved, at `now` by the counter of the VM, of `frequency` Hz. It runs, or stands still, as it did.
    ///
    /// # Errors
    ///
    /// [`Unfit`]: a timeout that this VM's watchdog cannot have, for one. Nothing has changed then.
    pub fn restore(&mut self, saved: &state::Watchdog, now: u64, frequency: u64) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::Watchdog::VERSION)?;
        if saved.enabled > 2 || saved.reserved != 0 {
            return Err(Unfit::Value("the watchdog's switch"));
        }
        if saved.timeout < TIMEOUT_MIN {
            return Err(Unfit::Value("the watchdog's timeout"));
        }
        if saved.timeout > self.longest {
            return Err(Unfit::Absent("a watchdog with a timeout"));
        }
        let most = if saved.enabled == 0 { 0 } else { u64::from(saved.timeout).saturating_mul(frequency) };
        if saved.left > most {
            return Err(Unfit::Value("what is left to the watchdog"));
        }
        self.timeout = saved.timeout;
        self.clock = match saved.enabled {
            0 => Clock::Off,
            1 => Clock::Runs { until: after(now, saved.left) },
            _ => Clock::Stands { left: saved.left },
        };
        Ok(())
    }

    /// A timeout begins at `now`.
    const fn begin(&mut self, now: u64, frequency: u64) {
        self.clock = Clock::Runs { until: after(now, (self.timeout as u64).saturating_mul(frequency)) };
    }

    /// Ticks that are left at `now`; none if it is off.
    const fn left(&self, now: u64) -> u64 {
        match self.clock {
            Clock::Off => 0,
            Clock::Runs { until } => until.saturating_sub(now),
            Clock::Stands { left } => left,
        }
    }

    /// Seconds that are left, a part of one as a whole one: Linux takes 0 for a watchdog that somebody else has switched on, and
    /// would pet it by itself.
    const fn seconds_left(&self, now: u64, frequency: u64) -> u32 {
        let frequency = if frequency == 0 { 1 } else { frequency };
        let seconds = self.left(now).div_ceil(frequency);
        if seconds < 1 {
            1
        } else if seconds > self.timeout as u64 {
            self.timeout
        } else {
            seconds as u32
        }
    }
}

#[cfg(test)]
mod tests;
