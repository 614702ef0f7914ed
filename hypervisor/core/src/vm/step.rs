//! What a core owes a vCPU next.

use super::power::PowerState;
use super::state::State;

/// What a core does next for a vCPU that it has. How much of it is done at a time is the core's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: the vCPU is off.
    Nothing,
    /// Fill a piece of the VM's memory with zeros.
    Scrub,
    /// Count the vCPU as gone: it was to start, and its VM ends.
    Cancel,
    /// Take the vCPU off the core: it is on, and its VM ends.
    Retire,
    /// Put a piece of the VM's images in place, when the VM's next start is due.
    Load,
    /// Let the vCPU stand still, as its VM does.
    Hold,
    /// Enter the guest where the vCPU is to start.
    Start,
    /// Look whether something wakes the vCPU, which its guest has suspended.
    Sleep,
    /// Enter the guest where it is to go on after that.
    Wake,
    /// Go on with the guest.
    Run,
}

/// The next step for a vCPU with this power state, of a VM in `state`. `scrubs` tells, of one that is off, whether the VM's memory
/// is to be scrubbed and its core is the one that does that.
///
/// The end of a VM comes before all else. A VM that is held is loaded none the less: nothing of its guest runs meanwhile.
#[inline(always)]
pub fn step(power: PowerState, state: State, scrubs: impl FnOnce() -> bool) -> Step {
    match power {
        PowerState::Off if scrubs() => Step::Scrub,
        PowerState::Off => Step::Nothing,
        PowerState::On | PowerState::Suspended | PowerState::WakePending if state.must_leave() => Step::Retire,
        _ if state.must_leave() => Step::Cancel,
        PowerState::LoadPending => Step::Load,
        _ if state.is_held() => Step::Hold,
        PowerState::OnPending => Step::Start,
        PowerState::On => Step::Run,
        PowerState::Suspended => Step::Sleep,
        PowerState::WakePending => Step::Wake,
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::{Action, Phase};
    use super::*;

    const PHASES: [Phase; 6] =
        [Phase::Created, Phase::Running, Phase::Paused, Phase::Stopped, Phase::Failed, Phase::GivenAway];
    const ENDS: [Action; 3] = [Action::Off, Action::Reset, Action::Fail];

    /// The steps of a vCPU that is off, about to load, about to start, on, suspended and woken.
    fn steps(phase: Phase, action: Action) -> [Step; 6] {
        let state = State { phase, action };
        let [load, start, on] = [PowerState::LoadPending, PowerState::OnPending, PowerState::On];
        [PowerState::Off, load, start, on, PowerState::Suspended, PowerState::WakePending]
            .map(|power| step(power, state, || false))
    }

    #[test]
    fn every_state_has_its_steps() {
        use Step::{Cancel, Hold, Load, Nothing, Retire, Run, Sleep, Start, Wake};
        const HELD: [Step; 6] = [Nothing, Load, Hold, Hold, Hold, Hold];
        const FREE: [Step; 6] = [Nothing, Load, Start, Run, Sleep, Wake];
        for phase in PHASES {
            for action in ENDS {
                assert_eq!(steps(phase, action), [Nothing, Cancel, Cancel, Retire, Retire, Retire]);
            }
            assert_eq!(steps(phase, Action::Pause), HELD);
            assert_eq!(steps(phase, Action::Scrub), FREE);
            let held = if phase.stands_still() { HELD } else { FREE };
            assert_eq!(steps(phase, Action::None), held, "{phase}");
        }
    }

    #[test]
    fn only_a_vcpu_that_is_off_scrubs() {
        for phase in PHASES {
            for action in [Action::None, Action::Pause, Action::Off, Action::Reset, Action::Fail, Action::Scrub] {
                let state = State { phase, action };
                assert_eq!(step(PowerState::Off, state, || true), Step::Scrub);
                for power in [PowerState::LoadPending, PowerState::OnPending, PowerState::On] {
                    assert_eq!(step(power, state, || true), step(power, state, || false));
                }
            }
        }
    }
}
