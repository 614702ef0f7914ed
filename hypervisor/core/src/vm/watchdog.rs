//! A VM's watchdog, and which timer is set for it: that of the core of a vCPU that has called it. There is none while it is off,
//! and it is set once a timeout however often the guest pets: when it fires, what the guest did since is looked at.

use spin::mutex::{TicketMutex, TicketMutexGuard};

use super::countdown::Countdown;

/// The watchdog of a VM.
#[derive(Debug)]
pub struct Watchdog {
    /// Fair: vCPUs of the VM can call it as fast as they can, on other cores than the one that looks.
    state: TicketMutex<State>,
}

/// What it does, and the timer that is set for it.
#[derive(Debug)]
pub struct State {
    /// What it does.
    pub countdown: Countdown,
    set: Option<Set>,
}

/// A timer that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Set {
    /// On this core. Others do not look, whatever their timers were set to before.
    core: usize,
    /// For when the VM's counter is there, or earlier.
    at: u64,
}

impl State {
    /// Returns for when the timer of core `core` is to be set, by the VM's counter, and takes it as set; none if there is one
    /// already that is early enough, or nothing to wait for.
    pub fn needs_timer(&mut self, core: usize) -> Option<u64> {
        let until = self.countdown.until()?;
        if self.set.is_some_and(|set| set.at <= until) {
            return None;
        }
        self.set = Some(Set { core, at: until });
        Some(until)
    }

    /// Looks at it on core `core`, whose timer has fired, when the VM's counter is at `now`: whether it bites, or when it has to be
    /// looked at again.
    pub fn look(&mut self, core: usize, now: u64) -> (bool, Option<u64>) {
        if self.set.is_none_or(|set| set.core != core) {
            return (false, None);
        }
        self.set = None;
        match self.countdown.until() {
            Some(until) if until <= now => (true, None),
            Some(_) => (false, self.needs_timer(core)),
            None => (false, None),
        }
    }

    /// Forgets the timer of core `core`, if that is the one that is set.
    pub fn forget_timer(&mut self, core: usize) {
        self.set = self.set.filter(|set| set.core != core);
    }

    /// A life of the VM is over.
    pub const fn reset(&mut self) {
        self.countdown.reset();
        self.set = None;
    }
}

impl Watchdog {
    /// A watchdog that is off, with this longest timeout in seconds.
    pub const fn new(longest: u32) -> Self {
        Self { state: TicketMutex::new(State { countdown: Countdown::new(longest), set: None }) }
    }

    /// Whether somebody has its state.
    #[cfg(test)]
    pub fn is_locked(&self) -> bool {
        self.state.is_locked()
    }

    /// Returns its state unless somebody has it, for as long as the guard is kept.
    pub fn try_lock(&self) -> Option<TicketMutexGuard<'_, State>> {
        self.state.try_lock()
    }

    /// Returns its state, for as long as the guard is kept.
    pub fn lock(&self) -> TicketMutexGuard<'_, State> {
        self.state.lock()
    }
}

#[cfg(test)]
mod tests {
    use portcullis_abi::watchdog::{ENABLE, PET, SET_TIMEOUT};

    use super::*;

    const HZ: u64 = 1000;

    fn enabled(at: u64) -> State {
        let mut state = State { countdown: Countdown::new(30), set: None };
        state.countdown.call(ENABLE, 1, at, HZ);
        state
    }

    #[test]
    fn pets_set_no_timer_and_the_one_that_fires_is_set_for_what_is_left() {
        let mut state = enabled(0);
        assert_eq!(state.needs_timer(2), Some(30_000));
        for now in 1..100 {
            state.countdown.call(PET, 0, now * 100, HZ);
            assert_eq!(state.needs_timer(3), None, "one is set, on another core");
        }
        assert_eq!(state.look(3, 30_000), (false, None), "it is not that core's");
        assert_eq!(state.look(2, 30_000), (false, Some(39_900)));
        assert_eq!(state.look(2, 39_899), (false, Some(39_900)), "too early");
        assert_eq!(state.look(2, 39_900), (true, None));
        assert_eq!(state.look(2, 39_900), (false, None), "it bites once");
    }

    #[test]
    fn a_shorter_timeout_sets_an_earlier_timer_wherever_it_is_asked_for() {
        let mut state = enabled(0);
        assert_eq!(state.needs_timer(0), Some(30_000));
        state.countdown.call(SET_TIMEOUT, 2, 100, HZ);
        assert_eq!(state.needs_timer(1), Some(2_100));
        assert_eq!(state.look(1, 2_100), (true, None));
        assert_eq!(state.look(0, 30_000), (false, None), "what the first core had set counts no more");
    }

    #[test]
    fn one_that_is_off_or_stands_still_has_no_timer() {
        let mut state = enabled(0);
        assert_eq!(state.needs_timer(0), Some(30_000));
        state.countdown.call(ENABLE, 0, 10, HZ);
        assert_eq!(state.look(0, 30_000), (false, None));
        state.countdown.call(ENABLE, 1, 40_000, HZ);
        assert_eq!(state.needs_timer(0), Some(70_000));
        state.countdown.stand_still(50_000);
        assert_eq!((state.look(0, 70_000), state.needs_timer(0)), ((false, None), None));
        state.countdown.go_on(100_000);
        assert_eq!(state.needs_timer(0), Some(120_000));
    }
}
