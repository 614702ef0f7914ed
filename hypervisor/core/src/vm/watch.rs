//! A watch over EL2 itself: a core that has not answered for a second is named, by whoever waits for it. There is no tick for that.
//! Who spins looks at the counter. A core that has had a VM end by what its guest does, or in the course of a shutdown, has
//! nothing else to look again: it sets its timer, once, if the VM has other cores. Who asks for a VM's state, or for that of a vCPU
//! that CPU_ON is to begin, has it looked at.

use portcullis_arch::timer;

use super::power::PowerState;
use super::state::{Action, State};
use super::wait::Wait;
use super::{Vcpu, Vm};

/// What the cores of a VM were asked for.
const fn asked(state: State) -> Option<&'static str> {
    match state.action {
        Action::Pause => Some("to stand still"),
        Action::Off | Action::Fail => Some("to stop"),
        Action::Reset => Some("to start again"),
        Action::None | Action::Scrub | Action::Save | Action::Restore | Action::Receive => None,
    }
}

impl Vm {
    /// Names, once, the cores that were asked for something more than a second before `now`, and have not answered. A vCPU that is
    /// on answers at once, whoever has its core; one that is yet to be loaded may wait for its VM's turn, and so may one that is to
    /// begin on a core that it shares. Returns the vCPUs that are meant, a bit each.
    #[cold]
    pub fn name_deaf_cores(&self, now: u64) -> u32 {
        let state = self.state();
        let Some(what) = asked(state) else {
            return if state == State::RUNNING { self.name_late_starts(now) } else { 0 };
        };
        let live = self.sets();
        // One that stands still has answered to that, and to nothing else.
        let answered = if state.must_leave() { 0 } else { live.parked };
        let is_there = |vcpu: &Vcpu| matches!(vcpu.power(), PowerState::On | PowerState::Suspended);
        let deaf = |vcpu: &Vcpu| is_there(vcpu) && live.on & !answered & vcpu.bit() != 0;
        self.name_overdue(&self.asked, now, deaf, what)
    }

    /// The same of vCPUs that CPU_ON is to begin. Time stands still for the request as it does for the VM: a paused one begins
    /// nothing.
    fn name_late_starts(&self, now: u64) -> u32 {
        let late = |vcpu: &Vcpu| vcpu.power() == PowerState::OnPending && vcpu.off_core().is_none();
        self.name_overdue(&self.starts, now.wrapping_sub(self.counter_offset()), late, "to begin")
    }

    /// The cores of its vCPUs are asked for something at `now`.
    pub(crate) fn watch_request(&self, now: u64) {
        self.asked.begin(now);
    }

    /// CPU_ON has asked for a vCPU at `now`.
    pub fn watch_start(&self, now: u64) {
        self.starts.begin(now.wrapping_sub(self.counter_offset()));
    }

    fn name_overdue(&self, wait: &Wait, now: u64, deaf: impl Fn(&Vcpu) -> bool, what: &str) -> u32 {
        let deaf = self.vcpus().iter().filter(|vcpu| deaf(vcpu));
        if deaf.clone().next().is_none() || !wait.is_overdue(now, timer::frequency()) {
            return 0;
        }
        deaf.fold(0, |named, vcpu| {
            let (core, name, index) = (vcpu.core, self.name(), vcpu.index);
            log::error!("core {core} has not answered for 1 s: {name} vcpu {index} was asked {what}");
            named | vcpu.bit()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_progress_is_asked_for() {
        assert_eq!(asked(State::RUNNING), None);
        assert_eq!(asked(State { action: Action::Scrub, ..State::CREATED }), None);
        assert_eq!(asked(State { action: Action::Pause, ..State::RUNNING }), Some("to stand still"));
        assert_eq!(asked(State { action: Action::Fail, ..State::RUNNING }), Some("to stop"));
    }
}
