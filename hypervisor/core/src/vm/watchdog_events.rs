//! What happens to a VM's watchdog: the guest's call, the timer that is due, pause, sleep and the end of a life.

use portcullis_abi::firmware::SIP_WATCHDOG;
use portcullis_abi::state::{self, Unfit};
use portcullis_arch::timer;
use portcullis_gate::Register;

use super::Vm;
use super::countdown::Answer;
use super::watchdog::State;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;

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

    /// Looks at the watchdog on core `core`, this one, whose timer for it has fired. If it bites, `fail` is done before anybody
    /// else has the watchdog: `reset_watchdog` waits for that, so it is this life that ends, on whatever core the VM's last vCPU
    /// goes off meanwhile. Returns when it is to be looked at again: the physical counter then.
    pub fn look_at_watchdog(&self, core: usize, fail: impl FnOnce()) -> Option<u64> {
        // In this order: who finds the VM running finds a moment before a pause, or the offset that counts after it.
        let now = timer::count();
        let mut state = self.watchdog.lock();
        if self.phase().stands_still() {
            // Its counter stands still. The timer is set anew when it goes on.
            state.forget_timer(core);
            return None;
        }
        let offset = self.counter_offset();
        let (bites, until) = state.look(core, now.wrapping_sub(offset));
        if bites {
            fail();
        }
        until.map(|until| until.saturating_add(offset))
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

    /// Returns the watchdog's state, for a VM that is paused, or none if it has no watchdog. None at all: somebody has it now, who
    /// may be about to end the VM.
    pub(crate) fn save_watchdog(&self) -> Option<Option<state::Watchdog>> {
        if self.config.settings.watchdog == 0 {
            return Some(None);
        }
        // Its counter stands still.
        let now = self.life.counter().save(0).value;
        Some(Some(self.watchdog.try_lock()?.countdown.save(now)))
    }

    /// Takes a watchdog's state on, for a VM none of whose vCPUs runs, and whose counter stands at `now`.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub(crate) fn restore_watchdog(&self, saved: &state::Watchdog, now: u64) -> Result<(), Unfit> {
        self.watchdog.lock().countdown.restore(saved, now, timer::frequency())
    }

    /// Checks that it could be given this state.
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub(crate) fn check_watchdog(&self, saved: &state::Watchdog) -> Result<(), Unfit> {
        let mut countdown = self.watchdog.lock().countdown;
        countdown.restore(saved, 0, timer::frequency())
    }

    /// A life of the VM is over: its watchdog is off. To be called before the state says what becomes of the VM.
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

#[cfg(test)]
mod tests {
    use portcullis_abi::watchdog::ENABLE;
    use portcullis_board::signal::EL2_TIMER_INTID;
    use portcullis_bundle::{Settings, VmConfig};

    use crate::tests::rig::{Rig, SECOND, SETTINGS, vm};
    use crate::vm::failure::Reason;
    use crate::vm::state::{Action, Phase};

    /// A VM on cores 1 and 2, whose second vCPU is off after it has switched the watchdog on: nobody else's timer is set for it.
    fn watched(restart_limit: u32) -> Rig {
        let settings = Settings { restart_limit, watchdog: 30, ..SETTINGS };
        let rig = Rig::new(&[vm("ops", &[0]), VmConfig { settings, ..vm("a", &[1, 2]) }]);
        rig.settle();
        assert_eq!(rig.at(2, || rig.vm(1).call_watchdog(ENABLE, 1)).code, 0);
        rig
    }

    #[test]
    fn it_bites_on_the_core_of_a_vcpu_that_is_off() {
        let rig = watched(0);
        rig.advance(29 * SECOND);
        rig.interrupt(2, EL2_TIMER_INTID);
        assert_eq!(rig.vm(1).phase(), Phase::Running);
        rig.advance(2 * SECOND);
        rig.interrupt(2, EL2_TIMER_INTID);
        rig.settle();
        let failure = rig.vm(1).failure().map(|failure| (failure.reason, failure.vcpu));
        assert_eq!((rig.vm(1).phase(), failure), (Phase::Failed, Some((Reason::Watchdog, 1))));
    }

    #[test]
    fn nobody_else_has_it_until_it_has_bitten() {
        let rig = watched(1);
        let vm = rig.vm(1);
        rig.advance(31 * SECOND);
        let mut bitten = 0;
        let next = rig.at(2, || {
            vm.look_at_watchdog(2, || {
                bitten += 1;
                // What the last vCPU that goes off on another core takes before it says what becomes of the VM.
                assert!(vm.watchdog.is_locked(), "a new life can begin between the look and the failure");
            })
        });
        assert_eq!((bitten, next), (1, None));
        assert!(!vm.watchdog.is_locked());
    }

    #[test]
    fn that_of_a_former_life_does_not_bite() {
        let rig = watched(0);
        rig.advance(31 * SECOND);
        // The timer is due, and the guest's SYSTEM_RESET on the other core comes first.
        rig.at(1, || rig.vm(1).stop(Action::Reset));
        rig.run(1);
        assert_eq!((rig.vm(1).phase(), rig.vm(1).life.restart_policy().total()), (Phase::Running, 1));
        rig.interrupt(2, EL2_TIMER_INTID);
        rig.settle();
        assert_eq!((rig.vm(1).phase(), rig.vm(1).failure()), (Phase::Running, None));
    }
}
