//! What a VM is doing and what is to become of it: one word, changed as a whole.
//!
//! A manager's request is refused while something is in progress. What the guest does to itself, and what the hypervisor
//! does to it for a fault, is not: the first word that is left counts, and a pause gives way to it.

mod cell;

use core::fmt;

use portcullis_abi::manage;

pub use self::cell::StateCell;

/// What a VM is doing. The numbers are those of the management calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Made, never started: its firmware registers can be written.
    Created = manage::PHASE_CREATED as u8,
    /// Started; its registers are frozen.
    Running = manage::PHASE_RUNNING as u8,
    /// Started; its vCPUs stand still.
    Paused = manage::PHASE_PAUSED as u8,
    /// Switched off by itself or by a manager.
    Stopped = manage::PHASE_STOPPED as u8,
    /// Stopped by the hypervisor for what it did.
    Failed = manage::PHASE_FAILED as u8,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    const ALL: [Self; 5] = [Self::Created, Self::Running, Self::Paused, Self::Stopped, Self::Failed];

    /// The phase in one word.
    pub fn name(self) -> &'static str {
        manage::PHASES.get(self as usize).copied().unwrap_or_default()
    }
}

/// What is in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Action {
    /// Nothing.
    None = 0,
    /// Its vCPUs are to stand still.
    Pause = 1,
    /// Its vCPUs leave their cores; it stays off.
    Off = 2,
    /// Its vCPUs leave their cores; it starts again from its images.
    Reset = 3,
    /// Its vCPUs leave their cores; it stays off, marked as failed, unless it is to be restarted on failure.
    Fail = 4,
    /// Its memory is scrubbed; then it is created.
    Scrub = 5,
    /// It is saved, and stays paused.
    Save = 6,
    /// It is restored: it is created, and will be paused.
    Restore = 7,
}

impl Action {
    const ALL: [Self; 8] =
        [Self::None, Self::Pause, Self::Off, Self::Reset, Self::Fail, Self::Scrub, Self::Save, Self::Restore];
}

/// Why a manager's request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleError {
    /// Something is in progress.
    Busy,
    /// The phase is none that the request starts from.
    BadState,
}

/// Phase and action together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// What the VM is doing.
    pub phase: Phase,
    /// What is in progress.
    pub action: Action,
}

impl State {
    /// Made, never started.
    pub const CREATED: Self = Self::settled(Phase::Created);
    /// Running, and nothing is to become of it.
    pub const RUNNING: Self = Self::settled(Phase::Running);

    const fn settled(phase: Phase) -> Self {
        Self { phase, action: Action::None }
    }

    const fn with(self, action: Action) -> Self {
        Self { phase: self.phase, action }
    }

    const fn word(self) -> u8 {
        self.phase as u8 | (self.action as u8) << 4
    }

    fn from_word(word: u8) -> Self {
        let phase = Phase::ALL.get(usize::from(word & 0xf)).copied().unwrap_or(Phase::Failed);
        let action = Action::ALL.get(usize::from(word >> 4)).copied().unwrap_or(Action::None);
        Self { phase, action }
    }

    /// Whether its vCPUs have to leave their cores.
    pub const fn must_leave(self) -> bool {
        matches!(self.action, Action::Off | Action::Reset | Action::Fail)
    }

    /// Whether its vCPUs have to stand still.
    pub const fn is_held(self) -> bool {
        matches!(
            (self.phase, self.action),
            (_, Action::Pause | Action::Save | Action::Restore) | (Phase::Paused, Action::None)
        )
    }

    /// The state if the phase is one of `from` and nothing is in progress.
    fn settled_in(self, from: &[Phase]) -> Result<Self, LifecycleError> {
        match self.action {
            Action::None if from.contains(&self.phase) => Ok(self),
            Action::None => Err(LifecycleError::BadState),
            _ => Err(LifecycleError::Busy),
        }
    }

    /// A manager starts it.
    ///
    /// # Errors
    ///
    /// As for every request: [`LifecycleError::Busy`] if something is in progress, [`LifecycleError::BadState`] in a wrong phase.
    pub fn start(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Created]).map(|_| Self::RUNNING)
    }

    /// A manager pauses it.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn pause(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Running]).map(|state| state.with(Action::Pause))
    }

    /// A manager lets it go on.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn resume(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Paused]).map(|_| Self::RUNNING)
    }

    /// A manager stops it.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn stop(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Running, Phase::Paused]).map(|state| state.with(Action::Off))
    }

    /// A manager has it start again: at once if it is off, else when its vCPUs have left their cores.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn restart(self) -> Result<Self, LifecycleError> {
        let state = self.settled_in(&[Phase::Running, Phase::Paused, Phase::Stopped, Phase::Failed])?;
        Ok(match state.phase {
            Phase::Stopped | Phase::Failed => Self::RUNNING,
            _ => state.with(Action::Reset),
        })
    }

    /// A manager has it made anew.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn recreate(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Created, Phase::Stopped, Phase::Failed]).map(|state| state.with(Action::Scrub))
    }

    /// A manager saves it, which is paused.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn save(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Paused]).map(|state| state.with(Action::Save))
    }

    /// A manager restores it, which was only created.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn restore(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Created]).map(|state| state.with(Action::Restore))
    }

    /// It is saved, or not any more. None if it was not being saved.
    pub const fn saved(self) -> Option<Self> {
        match self.action {
            Action::Save => Some(Self::settled(self.phase)),
            _ => None,
        }
    }

    /// It is restored, which `phase` says: paused, or created still. None if it was not being restored.
    pub const fn restored(self, phase: Phase) -> Option<Self> {
        match self.action {
            Action::Restore => Some(Self::settled(phase)),
            _ => None,
        }
    }

    /// The guest, or a fault of it, ends this life of the VM. None if its end is decided already, or it is off.
    pub const fn end(self, action: Action) -> Option<Self> {
        match (self.phase, self.action) {
            (Phase::Running | Phase::Paused, Action::None | Action::Pause | Action::Save) => Some(self.with(action)),
            _ => None,
        }
    }

    /// Every vCPU that is on stands still. None if none was to.
    pub const fn all_parked(self) -> Option<Self> {
        match (self.phase, self.action) {
            (Phase::Running, Action::Pause) => Some(Self::settled(Phase::Paused)),
            _ => None,
        }
    }

    /// The last vCPU has left its core, and the machine ends: nothing starts again.
    pub const fn all_off_for_good(self) -> Self {
        match self.action {
            Action::Reset => Self::settled(Phase::Stopped),
            _ => self.all_off(false),
        }
    }

    /// The last vCPU has left its core. `again`: a VM that fails starts again.
    pub const fn all_off(self, again: bool) -> Self {
        match self.action {
            Action::Reset => Self::RUNNING,
            Action::Fail if again => Self::RUNNING,
            Action::Fail => Self::settled(Phase::Failed),
            // With no word left, every vCPU has switched itself off: nobody is left to switch one on.
            Action::None | Action::Pause | Action::Off | Action::Save => Self::settled(Phase::Stopped),
            Action::Scrub | Action::Restore => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_state() -> impl Iterator<Item = State> {
        Phase::ALL.into_iter().flat_map(|phase| Action::ALL.map(|action| State { phase, action }))
    }

    #[test]
    fn a_word_is_its_state() {
        for state in every_state() {
            assert_eq!(State::from_word(state.word()), state);
        }
    }

    #[test]
    fn requests_start_from_their_phases_only() {
        use Phase::{Created, Failed, Paused, Running, Stopped};
        type Request = fn(State) -> Result<State, LifecycleError>;
        let requests: [(Request, &[Phase]); 8] = [
            (State::start, &[Created]),
            (State::pause, &[Running]),
            (State::resume, &[Paused]),
            (State::stop, &[Running, Paused]),
            (State::restart, &[Running, Paused, Stopped, Failed]),
            (State::recreate, &[Created, Stopped, Failed]),
            (State::save, &[Paused]),
            (State::restore, &[Created]),
        ];
        for (request, from) in requests {
            for state in every_state() {
                let expected = match state.action {
                    Action::None if from.contains(&state.phase) => None,
                    Action::None => Some(LifecycleError::BadState),
                    _ => Some(LifecycleError::Busy),
                };
                assert_eq!(request(state).err(), expected, "{state:?}");
            }
        }
    }

    #[test]
    fn the_first_end_counts_and_a_pause_gives_way() {
        for state in every_state() {
            let ends = matches!(state.phase, Phase::Running | Phase::Paused)
                && matches!(state.action, Action::None | Action::Pause | Action::Save);
            for action in [Action::Off, Action::Reset, Action::Fail] {
                let ended = state.end(action);
                assert_eq!(ended.is_some(), ends, "{state:?}");
                assert!(ended.is_none_or(|state| state.must_leave() && state.action == action));
            }
        }
    }

    #[test]
    fn what_becomes_of_it() {
        let running = State::RUNNING;
        assert_eq!(running.all_off(true).phase, Phase::Stopped);
        assert_eq!(running.pause().unwrap().all_off(true).phase, Phase::Stopped);
        assert_eq!(running.stop().unwrap().all_off(true).phase, Phase::Stopped);
        assert_eq!(running.restart().unwrap().all_off(false), running);
        let failing = running.end(Action::Fail).unwrap();
        assert_eq!(failing.all_off(false).phase, Phase::Failed);
        assert_eq!(failing.all_off(true), running);
        assert_eq!(failing.all_off_for_good().phase, Phase::Failed);
        assert_eq!(running.restart().unwrap().all_off_for_good().phase, Phase::Stopped);
        let paused = running.pause().unwrap().all_parked().unwrap();
        assert_eq!(paused.phase, Phase::Paused);
        assert!(paused.is_held() && !paused.must_leave());
        assert_eq!(paused.resume(), Ok(running));
        assert_eq!(paused.restart().unwrap().all_off(false), running);
        assert_eq!(running.all_parked(), None);
    }

    #[test]
    fn what_is_saved_stays_paused_and_what_is_restored_becomes_so() {
        let paused = State::RUNNING.pause().unwrap().all_parked().unwrap();
        let saving = paused.save().unwrap();
        assert!(saving.is_held() && !saving.must_leave());
        assert_eq!((saving.saved(), paused.saved()), (Some(paused), None));
        assert_eq!(saving.end(Action::Off).map(|state| state.all_off(false).phase), Some(Phase::Stopped));
        let restoring = State::CREATED.restore().unwrap();
        assert!(restoring.is_held(), "none of its vCPUs runs before it is whole");
        assert_eq!(
            (restoring.restored(Phase::Paused), restoring.restored(Phase::Created)),
            (Some(paused), Some(State::CREATED))
        );
        assert_eq!((State::CREATED.restored(Phase::Paused), restoring.end(Action::Fail)), (None, None));
    }
}
