//! Where a VM's state is: one word, which every core may change.

use core::sync::atomic::{AtomicU8, Ordering};

use super::{Phase, State};

/// A VM's state, which every core may change.
///
/// All accesses but one are sequentially consistent: that a vCPU goes on, which changes the set of parked ones and then looks at
/// the state, and that a manager pauses, who changes the state and then looks at the set, must not miss each other.
#[derive(Debug)]
pub struct StateCell(AtomicU8);

impl StateCell {
    /// A VM that was just made.
    pub const fn new() -> Self {
        Self(AtomicU8::new(State::CREATED.word()))
    }

    /// The state now.
    #[inline(always)]
    pub fn get(&self) -> State {
        State::from_word(self.0.load(Ordering::SeqCst))
    }

    /// Whether the VM runs and nothing is to become of it: the one question on the way back to the guest. The load is
    /// relaxed: whoever changes the state kicks the core, which comes back here.
    #[inline(always)]
    pub fn is_running(&self) -> bool {
        self.0.load(Ordering::Relaxed) == State::RUNNING.word()
    }

    /// Changes the state by `step`, on the newest value or not at all. Returns the states before and after.
    ///
    /// # Errors
    ///
    /// What `step` says; nothing has changed then.
    pub fn change<E>(&self, step: impl Fn(State) -> Result<State, E>) -> Result<(State, State), E> {
        let mut word = self.0.load(Ordering::SeqCst);
        loop {
            let before = State::from_word(word);
            let after = step(before)?;
            match self.0.compare_exchange_weak(word, after.word(), Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Ok((before, after)),
                Err(seen) => word = seen,
            }
        }
    }

    /// The VM, which is off, runs from here on.
    pub fn begun(&self) {
        self.0.store(State::RUNNING.word(), Ordering::SeqCst);
    }

    /// The scrubbed VM is a new one.
    pub fn created(&self) {
        self.0.store(State::CREATED.word(), Ordering::SeqCst);
    }

    /// The VM cannot be scrubbed: it can be asked to again.
    pub fn scrub_failed(&self) {
        self.0.store(State::settled(Phase::Failed).word(), Ordering::SeqCst);
    }
}

impl Default for StateCell {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::LifecycleError;
    use super::*;

    #[test]
    fn a_vm_that_cannot_be_scrubbed_can_be_asked_to_again() {
        let cell = StateCell::new();
        assert!(cell.change(State::recreate).is_ok());
        cell.scrub_failed();
        assert_eq!(cell.get().phase, Phase::Failed);
        assert!(cell.change(State::recreate).is_ok());
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let cell = StateCell::new();
        assert_eq!(cell.change(State::stop), Err(LifecycleError::BadState));
        assert_eq!(cell.get(), State::CREATED);
        assert!(!cell.is_running());
        assert_eq!(cell.change(State::start), Ok((State::CREATED, State::RUNNING)));
        assert!(cell.is_running());
    }
}
