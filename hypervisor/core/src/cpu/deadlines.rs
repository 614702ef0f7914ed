//! The deadlines for which a core sets its EL2 timer.

use core::sync::atomic::{AtomicU64, Ordering};

/// What the EL2 timer of a core is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// The board's clock wants to look at its hardware.
    WallClock = 0,
    /// A VM on this core has left a line unfinished.
    StandingLine = 1,
    /// An emulated device wants to look at the time.
    Device = 2,
    /// Who has had a VM end looks whether its cores have answered.
    Watch = 3,
    /// A VM's watchdog bites, or was petted meanwhile.
    Watchdog = 4,
    /// It has to be decided anew which vCPU runs here.
    Schedule = 5,
}

/// How many there are besides [`Timer::Schedule`], which comes behind them.
const CHORES: usize = Timer::Schedule as usize;

/// A deadline that has passed, and whose timer still fires. It is no deadline that anybody sets.
const FIRED: u64 = 0;
/// A deadline that is not set.
pub const NEVER: u64 = u64::MAX;

/// When each [`Timer`] of a core is due, in ticks of the physical counter. Only that core touches them.
#[derive(Debug)]
pub struct Deadlines {
    schedule: AtomicU64,
    /// All but [`Timer::Schedule`], by number.
    chores: [AtomicU64; CHORES],
    /// The first of `chores`: all that the end of a turn has to look at.
    next_chore: AtomicU64,
}

impl Deadlines {
    /// Deadlines of which none is set.
    pub const fn new() -> Self {
        Self {
            schedule: AtomicU64::new(NEVER),
            chores: [const { AtomicU64::new(NEVER) }; CHORES],
            next_chore: AtomicU64::new(NEVER),
        }
    }

    fn deadline(&self, timer: Timer) -> &AtomicU64 {
        self.chores.get(timer as usize).unwrap_or(&self.schedule)
    }

    /// When a timer is due; [`NEVER`] if it is not set.
    pub fn get(&self, timer: Timer) -> u64 {
        self.deadline(timer).load(Ordering::Relaxed)
    }

    /// Sets a timer, whatever it was set to; [`NEVER`] takes it back.
    pub fn set(&self, timer: Timer, at: u64) {
        self.deadline(timer).store(at, Ordering::Relaxed);
        if timer != Timer::Schedule {
            let first = self.chores.iter().fold(NEVER, |first, other| first.min(other.load(Ordering::Relaxed)));
            self.next_chore.store(first, Ordering::Relaxed);
        }
    }

    /// The first deadline of all; [`NEVER`] if none is set.
    pub fn next(&self) -> u64 {
        self.next_chore.load(Ordering::Relaxed).min(self.schedule.load(Ordering::Relaxed))
    }

    /// Whether a timer is due; it is not set any more then.
    pub fn take_due(&self, timer: Timer, now: u64) -> bool {
        let due = self.get(timer) <= now;
        if due {
            self.set(timer, NEVER);
        }
        due
    }

    /// Whether the end of a turn is all that is due; [`Timer::Schedule`] then counts as fired until it is set again.
    #[inline]
    pub fn take_end_of_turn(&self, now: u64) -> bool {
        let chore = self.next_chore.load(Ordering::Relaxed) <= now;
        if !chore {
            self.schedule.store(FIRED, Ordering::Relaxed);
        }
        !chore
    }
}

impl Default for Deadlines {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Timer; 6] =
        [Timer::WallClock, Timer::StandingLine, Timer::Device, Timer::Watch, Timer::Watchdog, Timer::Schedule];

    #[test]
    fn each_has_its_own_and_the_first_counts() {
        let deadlines = Deadlines::new();
        assert_eq!(deadlines.next(), NEVER);
        for (timer, at) in ALL.into_iter().zip([60, 50, 40, 30, 20, 10]) {
            deadlines.set(timer, at);
            assert_eq!((deadlines.get(timer), deadlines.next()), (at, at));
        }
        assert!(!deadlines.take_due(Timer::Device, 39));
        assert!(deadlines.take_due(Timer::Device, 40) && !deadlines.take_due(Timer::Device, 40));
        deadlines.set(Timer::Schedule, NEVER);
        assert_eq!(deadlines.next(), 20);
        deadlines.set(Timer::Watchdog, NEVER);
        assert_eq!(deadlines.next(), 30);
        deadlines.set(Timer::Watch, NEVER);
        assert_eq!(deadlines.next(), 50);
    }

    #[test]
    fn the_end_of_a_turn_is_alone_only_if_no_chore_is_due() {
        for chore in ALL.into_iter().take(CHORES) {
            let deadlines = Deadlines::new();
            deadlines.set(Timer::Schedule, 10);
            deadlines.set(chore, 12);
            assert!(deadlines.take_end_of_turn(11));
            assert_eq!(deadlines.get(Timer::Schedule), FIRED);
            deadlines.set(Timer::Schedule, 20);
            assert!(!deadlines.take_end_of_turn(12), "{chore:?}");
            assert_eq!(deadlines.get(Timer::Schedule), 20);
            assert!(deadlines.take_due(chore, 12) && deadlines.take_end_of_turn(12));
        }
    }
}
