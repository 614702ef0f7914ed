//! A watch over EL2 itself: a core that has not answered for a second is named, by whoever waits for it. There is no tick for that:
//! who waits looks at the counter, and a manager that asks for a VM's state has it looked at.

use portcullis_arch::timer;

use super::power::PowerState;
use super::state::{Action, State};
use super::{Vcpu, Vm};

/// What the cores of a VM were asked for.
const fn asked(state: State) -> Option<&'static str> {
    match state.action {
        Action::Pause => Some("to stand still"),
        Action::Off | Action::Fail => Some("to stop"),
        Action::Reset => Some("to start again"),
        Action::None | Action::Scrub => None,
    }
}

impl Vm {
    /// Names, once, the cores that were asked for something more than a second before `now`, and have not answered. A vCPU that is
    /// on answers at once, whoever has its core; one that is yet to be loaded or to begin may wait for its VM's turn. Returns the
    /// vCPUs that are meant, a bit each.
    pub fn name_deaf_cores(&self, now: u64) -> u32 {
        let Some(what) = asked(self.state()) else { return 0 };
        let census = self.census();
        // One that stands still has answered to that, and to nothing else.
        let answered = if self.state().must_leave() { 0 } else { census.parked };
        let deaf = |vcpu: &&Vcpu| vcpu.power() == PowerState::On && census.live & !answered & vcpu.bit() != 0;
        let deaf = self.vcpus().iter().filter(deaf);
        if deaf.clone().next().is_none() || !self.asked.is_overdue(now, timer::frequency()) {
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
