//! The life of a VM: what it is doing, how far its counter is behind, how far it is loaded or scrubbed, why it failed and whether
//! it starts again.
//!
//! What belongs to a change of the state is done with it here, in the order that others depend on: before the state if who sees
//! the new one may look at it, after it if only the first of several who want the change may do it.

use core::convert::Infallible;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use spin::mutex::{TicketMutex, TicketMutexGuard};
use spin::{Mutex, MutexGuard};

use super::counter::VirtualCounter;
use super::failure::Failure;
use super::loading::{Contents, Loading};
use super::restart::RestartPolicy;
use super::state::{Action, LifecycleError, Phase, State, StateCell};

/// The life of one VM. What the way back to a guest looks at comes first.
#[derive(Debug)]
#[repr(C)]
pub struct Life {
    state: StateCell,
    counter: VirtualCounter,
    restarts: RestartPolicy,
    failure: Mutex<Option<Failure>>,
    /// How far the images are in place.
    loading: Mutex<Loading>,
    /// What is in RAM before the VM is loaded.
    contents: Mutex<Contents>,
    /// Bytes of the VM's memory that are scrubbed, while that is in progress.
    scrubbed: AtomicU64,
    /// Whether all of the VM was saved since it was paused.
    is_saved: AtomicBool,
    /// Whoever has it looks at a VM that stands still, which does not end meanwhile.
    still: TicketMutex<()>,
}

impl Life {
    /// Makes the life of a VM that was just made and starts again up to `restart_limit` times when it fails.
    pub fn new(restart_limit: u32) -> Self {
        Self {
            state: StateCell::new(),
            counter: VirtualCounter::new(),
            restarts: RestartPolicy::new(restart_limit),
            failure: Mutex::new(None),
            loading: Mutex::new(Loading::default()),
            contents: Mutex::new(Contents::Foreign),
            scrubbed: AtomicU64::new(0),
            is_saved: AtomicBool::new(false),
            still: TicketMutex::new(()),
        }
    }

    /// Returns what the VM is doing and what is in progress.
    #[inline(always)]
    pub fn state(&self) -> State {
        self.state.get()
    }

    /// Tells whether there is no reason for a vCPU not to go back to the guest; see [`StateCell::is_running`].
    #[inline(always)]
    pub fn is_running(&self) -> bool {
        self.state.is_running()
    }

    /// Returns the virtual counter: it begins with each life, and stands still while the VM is paused.
    #[inline(always)]
    pub fn counter(&self) -> &VirtualCounter {
        &self.counter
    }

    /// Returns when the VM starts again by itself, and how often it has.
    pub fn restart_policy(&self) -> &RestartPolicy {
        &self.restarts
    }

    /// Returns why the VM last failed, if it has since it was created.
    pub fn failure(&self) -> Option<Failure> {
        *self.failure.lock()
    }

    /// Makes the VM running; none of its vCPUs is on. The states from which a VM begins change under the managers' lock only,
    /// which the caller has.
    pub fn run(&self) {
        self.state.begun();
    }

    /// Begins a life at `now`, or later where the restart policy says so: nothing is loaded yet. The counter has `frequency` Hz;
    /// `again` as for `RestartPolicy::begin`.
    pub fn begin(&self, again: bool, now: u64, frequency: u64) {
        self.restarts.begin(again, now, frequency);
        // A former start may have been stopped half way.
        *self.loading.lock() = Loading::default();
    }

    /// Asks the VM to pause.
    ///
    /// # Errors
    ///
    /// As for every request: [`LifecycleError`].
    pub fn pause(&self) -> Result<(), LifecycleError> {
        self.state.change(State::pause).map(drop)
    }

    /// Makes the VM paused if it was to pause, at `now`, when every vCPU stands still. Returns whether it was.
    pub fn all_parked(&self, now: u64) -> bool {
        if self.state().all_parked().is_none() {
            return false;
        }
        // Before the state, which lets managers resume it.
        self.counter.stop(now);
        self.is_saved.store(false, Ordering::Relaxed);
        self.state.change(|state| state.all_parked().ok_or(())).is_ok()
    }

    /// Lets a paused VM go on at `now`, by [`State::resume`] or [`State::take_back`].
    ///
    /// # Errors
    ///
    /// [`LifecycleError`], as `change` says.
    pub fn resume(
        &self,
        now: u64,
        change: impl Fn(State) -> Result<State, LifecycleError>,
    ) -> Result<(), LifecycleError> {
        change(self.state())?;
        // Before the state, which lets the vCPUs go on: each reads it after that.
        self.counter.go_on(now);
        self.state.change(change).map(drop)
    }

    /// Gives the VM away, which was saved since it was paused.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn give_away(&self) -> Result<(), LifecycleError> {
        self.state().give_away()?;
        if !self.is_saved.load(Ordering::Relaxed) {
            return Err(LifecycleError::BadState);
        }
        self.state.change(State::give_away).map(drop)
    }

    /// Asks the VM to stop, which was given away.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn forget(&self) -> Result<(), LifecycleError> {
        self.state.change(State::forget).map(drop)
    }

    /// Asks the VM to stop.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn stop(&self) -> Result<(), LifecycleError> {
        self.state.change(State::stop).map(drop)
    }

    /// Asks the VM to start again, by this change of its state, which is made anew when the state has changed meanwhile: what
    /// its restart policy allows begins anew. Returns the states before and after; they are the same if it is off, and
    /// [`Life::run`] is to follow.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`], as `change` says.
    pub fn restart(
        &self,
        change: impl Fn(State) -> Result<State, LifecycleError>,
    ) -> Result<(State, State), LifecycleError> {
        let (before, after) = self.state.change(change)?;
        self.restarts.renew();
        if before == after {
            self.restarts.count(false);
        }
        Ok((before, after))
    }

    /// Asks the VM to be made anew: nothing of it is scrubbed yet.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn recreate(&self) -> Result<(), LifecycleError> {
        self.state().recreate()?;
        // Before the state: the core may look at both at any time, and must not take the last time's count for this one's.
        self.scrubbed.store(0, Ordering::Relaxed);
        self.state.change(State::recreate).map(drop)
    }

    /// Ends this life as the guest wants it: [`Action::Off`] or [`Action::Reset`]. False if its end was decided before.
    pub fn end(&self, action: Action) -> bool {
        // For a piece of what is saved, at the most.
        let _still = self.still.lock();
        self.state.change(|state| state.end(action).ok_or(())).is_ok()
    }

    /// Ends this life by a failure. False if its end was decided before: then that counts.
    pub fn fail(&self, failure: Failure) -> bool {
        // Held from before the state changes: a core that none of the VM's vCPUs is on may be the one that does this, and then
        // nobody waits for it. Who sees the state finds the reason, and `created` clears it behind this.
        let mut reason = self.failure.lock();
        let counts = self.end(Action::Fail);
        if counts {
            *reason = Some(failure);
        }
        counts
    }

    /// Settles what becomes of the VM now that its last vCPU has left its core; `for_good`: the machine ends, nothing starts
    /// again. Returns the states before and after; a start again is counted.
    pub fn all_off(&self, for_good: bool) -> (State, State) {
        let again = self.restarts.has_left();
        let step = |state: State| if for_good { state.all_off_for_good() } else { state.all_off(again) };
        let Ok((before, after)) = self.state.change(|state| Ok::<_, Infallible>(step(state)));
        if after == State::RUNNING {
            self.restarts.count(before.action == Action::Fail);
        }
        (before, after)
    }

    /// Begins to save the VM, which is paused.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn save(&self) -> Result<(), LifecycleError> {
        self.state.change(State::save).map(drop)
    }

    /// Keeps the VM from ending as long as the guard is kept, if it is still being saved.
    pub fn keep_still(&self) -> Option<TicketMutexGuard<'_, ()>> {
        let still = self.still.lock();
        (self.state().action == Action::Save).then_some(still)
    }

    /// Ends the saving of the VM, if it has not ended with the VM. `whole`: all of it was saved.
    pub fn saved(&self, whole: bool) {
        // Before the state, which lets managers give it away.
        self.is_saved.store(whole, Ordering::Relaxed);
        let _ = self.state.change(|state| state.saved().ok_or(()));
    }

    /// Begins to restore the VM, which was only created. Returns what is in its RAM; from now on that is nothing that it may find.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn restore(&self) -> Result<Contents, LifecycleError> {
        self.state.change(State::restore)?;
        Ok(core::mem::replace(&mut *self.contents.lock(), Contents::Foreign))
    }

    /// Makes the VM paused that is restored. What it has in RAM is its own.
    pub fn restored(&self) {
        self.set_loaded();
        self.is_saved.store(false, Ordering::Relaxed);
        let _ = self.state.change(|state| state.restored(Phase::Paused).ok_or(()));
    }

    /// Makes the VM created again that was to be restored. What is in its RAM is nobody's.
    pub fn not_restored(&self) {
        self.restarts.reset();
        let _ = self.state.change(|state| state.restored(Phase::Created).ok_or(()));
    }

    /// Returns how far the images are in place; who has it puts them there.
    pub fn loading(&self) -> MutexGuard<'_, Loading> {
        self.loading.lock()
    }

    /// Returns what is in RAM before the VM is loaded.
    pub fn contents(&self) -> Contents {
        *self.contents.lock()
    }

    /// Notes that there is something of the VM in RAM, and of nobody else.
    pub fn set_loaded(&self) {
        *self.contents.lock() = Contents::Life;
    }

    /// Returns how many bytes of the VM's memory are scrubbed.
    pub fn scrubbed(&self) -> u64 {
        self.scrubbed.load(Ordering::Relaxed)
    }

    /// Notes that so many bytes are scrubbed.
    pub fn set_scrubbed(&self, bytes: u64) {
        self.scrubbed.store(bytes, Ordering::Relaxed);
    }

    /// Makes the VM failed, as its memory cannot be scrubbed: it can be asked to again.
    pub fn scrub_failed(&self) {
        self.state.scrub_failed();
    }

    /// Makes the scrubbed VM a new one, without a former life. Last of all the state, which hands it over to the managers.
    pub fn created(&self) {
        *self.contents.lock() = Contents::Zeros;
        self.restarts.reset();
        *self.failure.lock() = None;
        self.state.created();
    }
}

#[cfg(test)]
mod tests;
