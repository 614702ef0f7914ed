//! What a VM is doing and what is to become of it: one word, changed as a whole.
//!
//! A manager's request is refused while something is in progress. What the guest does to itself, and what the hypervisor
//! does to it for a fault, is not: the first word that is left counts, and a pause gives way to it.

mod cell;

use core::fmt;

use portcullis_abi::manage;

pub use self::cell::StateCell;

/// What a VM is doing. Those that stand still come last, so that they are told by one comparison; [`Phase::shown`] has the numbers
/// of the management calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Made, never started: its firmware registers can be written.
    Created,
    /// Started; its registers are frozen.
    Running,
    /// Switched off by itself or by a manager.
    Stopped,
    /// Stopped by the hypervisor for what it did.
    Failed,
    /// Started; its vCPUs stand still.
    Paused,
    /// Paused, and told that it goes on elsewhere: nothing lets it go on by itself.
    GivenAway,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Phase {
    const ALL: [Self; 6] = [Self::Created, Self::Running, Self::Stopped, Self::Failed, Self::Paused, Self::GivenAway];

    /// The phase's number in management calls and events.
    pub const fn shown(self) -> u64 {
        match self {
            Self::Created => manage::PHASE_CREATED,
            Self::Running => manage::PHASE_RUNNING,
            Self::Paused => manage::PHASE_PAUSED,
            Self::Stopped => manage::PHASE_STOPPED,
            Self::Failed => manage::PHASE_FAILED,
            Self::GivenAway => manage::PHASE_GIVEN_AWAY,
        }
    }

    /// The phase in one word.
    pub fn name(self) -> &'static str {
        manage::PHASES.get(self.shown() as usize).copied().unwrap_or_default()
    }

    /// Whether its vCPUs and its counter stand still.
    pub const fn stands_still(self) -> bool {
        matches!(self, Self::Paused | Self::GivenAway)
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
            (_, Action::Pause | Action::Save | Action::Restore) | (Phase::Paused | Phase::GivenAway, Action::None)
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

    /// A manager lets it go on, even if it was given away.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn take_back(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Paused, Phase::GivenAway]).map(|_| Self::RUNNING)
    }

    /// A manager gives it away, which was saved: it goes on elsewhere.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn give_away(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::Paused]).map(|_| Self::settled(Phase::GivenAway))
    }

    /// A manager stops it, which was given away: what is left of it here is of no use.
    ///
    /// # Errors
    ///
    /// As [`State::start`].
    pub fn forget(self) -> Result<Self, LifecycleError> {
        self.settled_in(&[Phase::GivenAway]).map(|state| state.with(Action::Off))
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

    /// The guest, a fault of it, or the machine's end ends this life of the VM. None if its end is decided already, or it is off.
    /// One that was given away only goes off, with the machine: nothing of it happens here any more that it could start again for.
    pub const fn end(self, action: Action) -> Option<Self> {
        match (self.phase, self.action) {
            (Phase::GivenAway, Action::None) if matches!(action, Action::Off) => Some(self.with(action)),
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
mod tests;
