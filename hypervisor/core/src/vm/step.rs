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
        PowerState::On if state.must_leave() => Step::Retire,
        _ if state.must_leave() => Step::Cancel,
        PowerState::LoadPending => Step::Load,
        _ if state.is_held() => Step::Hold,
        PowerState::OnPending => Step::Start,
        PowerState::On => Step::Run,
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::{Action, Phase};
    use super::*;

    const PHASES: [Phase; 5] = [Phase::Created, Phase::Running, Phase::Paused, Phase::Stopped, Phase::Failed];
    const ENDS: [Action; 3] = [Action::Off, Action::Reset, Action::Fail];

    /// The steps of a vCPU that is off, about to load, about to start, and on.
    fn steps(phase: Phase, action: Action) -> [Step; 4] {
        let state = State { phase, action };
        [PowerState::Off, PowerState::LoadPending, PowerState::OnPending, PowerState::On]
            .map(|power| step(power, state, || false))
    }

    #[test]
    fn every_state_has_its_steps() {
        for phase in PHASES {
            for action in ENDS {
                assert_eq!(steps(phase, action), [Step::Nothing, Step::Cancel, Step::Cancel, Step::Retire]);
            }
            assert_eq!(steps(phase, Action::Pause), [Step::Nothing, Step::Load, Step::Hold, Step::Hold]);
            assert_eq!(steps(phase, Action::Scrub), [Step::Nothing, Step::Load, Step::Start, Step::Run]);
            let held = match phase {
                Phase::Paused => [Step::Nothing, Step::Load, Step::Hold, Step::Hold],
                _ => [Step::Nothing, Step::Load, Step::Start, Step::Run],
            };
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
