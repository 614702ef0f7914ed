//! What a VM does with its watchdog: the guest's call, the timer that is due, and when it stands still.

use portcullis_abi::firmware::SIP_WATCHDOG;
use portcullis_arch::timer;
use portcullis_gate::Register;

use super::Vm;
use super::countdown::Answer;
use super::state::Phase;
use super::watchdog::State;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;

/// What a look at a watchdog comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Nothing is to be done on this core.
    Nothing,
    /// It is to be looked at again when the physical counter is there.
    Again(u64),
    /// It bites.
    Bites,
}

impl Vm {
    /// Whether the guest may call it: the manifest gives the VM one, and its registers have the bit.
    pub fn is_offered_watchdog(&self) -> bool {
        self.config.settings.watchdog != 0 && self.row.get(Register::Sip) & SIP_WATCHDOG != 0
    }

    /// Makes the call of the watchdog with x1 and x2, on this core.
    pub fn call_watchdog(&self, function: u32, argument: u32) -> Answer {
        let (now, offset) = (timer::count(), self.counter_offset());
        let mut state = self.watchdog.lock();
        let answer = state.countdown.call(function, argument, now.wrapping_sub(offset), timer::frequency());
        set_here(&mut state, offset);
        answer
    }

    /// Looks at the watchdog on core `core`, this one, whose timer for it has fired.
    pub fn look_at_watchdog(&self, core: usize) -> Look {
        // In this order: who finds the VM running finds a moment before a pause, or the offset that counts after it.
        let now = timer::count();
        let mut state = self.watchdog.lock();
        if self.phase() == Phase::Paused {
            // Its counter stands still. The timer is set anew when it goes on.
            state.forget_timer(core);
            return Look::Nothing;
        }
        let offset = self.counter_offset();
        match state.look(core, now.wrapping_sub(offset)) {
            (true, _) => Look::Bites,
            (false, Some(until)) => Look::Again(until.saturating_add(offset)),
            (false, None) => Look::Nothing,
        }
    }

    /// The VM is suspended: its counter runs on, and its watchdog stands still.
    pub fn watchdog_stands_still(&self) {
        let now = timer::count().wrapping_sub(self.counter_offset());
        self.watchdog.lock().countdown.stand_still(now);
    }

    /// A pause of the VM is over, in which its counter stood still. To be called on the core of one of its vCPUs, which sets its
    /// timer if none is set for the watchdog.
    pub fn watchdog_timer_goes_on(&self) {
        set_here(&mut self.watchdog.lock(), self.counter_offset());
    }

    /// The VM is suspended no more. To be called as [`watchdog_timer_goes_on`](Self::watchdog_timer_goes_on).
    pub fn watchdog_goes_on(&self) {
        let (now, offset) = (timer::count(), self.counter_offset());
        let mut state = self.watchdog.lock();
        state.countdown.go_on(now.wrapping_sub(offset));
        set_here(&mut state, offset);
    }

    /// A life of the VM is over: its watchdog is off.
    pub(crate) fn reset_watchdog(&self) {
        self.watchdog.lock().reset();
    }
}

/// Sets the timer of this core if there is none for the watchdog that is early enough.
fn set_here(state: &mut State, offset: u64) {
    if let Some(here) = Core::current()
        && let Some(until) = state.needs_timer(here.index)
    {
        here.arm_by(Timer::Watchdog, until.saturating_add(offset));
    }
}
