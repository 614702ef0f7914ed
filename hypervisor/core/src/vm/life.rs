//! The life of a VM: what it is doing, how far its counter is behind, how far it is loaded or scrubbed, why it failed and whether
//! it starts again.
//!
//! What belongs to a change of the state is done with it here, in the order that others depend on: before the state if who sees
//! the new one may look at it, after it if only the first of several who want the change may do it.

use core::convert::Infallible;
use core::sync::atomic::{AtomicU64, Ordering};

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
        self.state.change(|state| state.all_parked().ok_or(())).is_ok()
    }

    /// Lets a paused VM go on at `now`.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn resume(&self, now: u64) -> Result<(), LifecycleError> {
        self.state().resume()?;
        // Before the state, which lets the vCPUs go on: each reads it after that.
        self.counter.go_on(now);
        self.state.change(State::resume).map(drop)
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

    /// Ends the saving of the VM, if it has not ended with the VM.
    pub fn saved(&self) {
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
mod tests {
    use super::super::failure::Reason;
    use super::super::state::Phase;
    use super::*;

    fn running(limit: u32) -> Life {
        let life = Life::new(limit);
        life.run();
        life.counter().begin(1000);
        life
    }

    fn failure(vcpu: usize) -> Failure {
        Failure { reason: Reason::Exception, vcpu, syndrome: 1, pc: 2, address: 3 }
    }

    #[test]
    fn a_pause_costs_the_guest_no_time() {
        let life = running(0);
        assert!(!life.all_parked(1500), "nobody asked for it");
        assert_eq!(life.pause(), Ok(()));
        assert!(life.all_parked(1500) && !life.all_parked(1600));
        assert_eq!(life.state().phase, Phase::Paused);
        assert_eq!((life.resume(2500), life.resume(2600)), (Ok(()), Err(LifecycleError::BadState)));
        assert_eq!(life.counter().offset(), 2000, "the refused one moved nothing");
    }

    #[test]
    fn the_first_failure_counts_and_an_end_that_was_decided_before_it() {
        let life = running(0);
        assert!(life.fail(failure(0)) && !life.fail(failure(1)));
        assert_eq!(life.failure().map(|failure| failure.vcpu), Some(0));
        assert_eq!(life.all_off(false).1.phase, Phase::Failed);

        let life = running(0);
        assert!(life.end(Action::Off) && !life.fail(failure(0)) && life.failure().is_none());
        assert_eq!(life.all_off(false).1.phase, Phase::Stopped);
    }

    #[test]
    fn who_sees_that_it_fails_waits_for_the_reason() {
        let life = running(0);
        let about = core::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reason = life.failure.lock();
            scope.spawn(|| {
                about.store(true, Ordering::SeqCst);
                assert!(life.fail(failure(0)));
            });
            while !about.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            // It is given every chance to change the state first.
            for _ in 0..1000 {
                std::thread::yield_now();
                assert!(life.is_running(), "the state says so before the reason is there");
            }
            drop(reason);
        });
        assert_eq!(life.failure(), Some(failure(0)));
    }

    #[test]
    fn it_starts_again_as_often_as_it_may_and_not_when_the_machine_ends() {
        let life = running(2);
        for _ in 0..2 {
            assert!(life.fail(failure(0)));
            assert_eq!(life.all_off(false).1, State::RUNNING);
        }
        assert!(life.end(Action::Reset));
        assert_eq!(life.all_off(false).1, State::RUNNING, "a reset is no failure");
        assert_eq!(life.restart_policy().total(), 3);
        assert!(life.fail(failure(0)));
        assert_eq!(life.all_off(false).1.phase, Phase::Failed);

        let life = running(2);
        assert!(life.fail(failure(0)));
        assert_eq!(life.all_off(true).1.phase, Phase::Failed);
        assert_eq!(life.restart_policy().total(), 0);
    }

    #[test]
    fn a_manager_gives_it_all_its_restarts_again() {
        let life = running(1);
        assert!(life.fail(failure(0)));
        assert_eq!(life.all_off(false).1, State::RUNNING);
        assert!(!life.restart_policy().has_left());
        assert!(life.restart(State::restart).is_ok());
        assert!(life.restart_policy().has_left());
        assert_eq!(life.restart_policy().total(), 1, "what is in progress counts when its vCPUs are off");
        assert_eq!(life.all_off(false).1, State::RUNNING);
        assert_eq!(life.restart_policy().total(), 2);
    }

    #[test]
    fn nothing_is_left_of_it_in_a_new_one() {
        let life = running(1);
        assert_eq!(life.contents(), Contents::Foreign);
        life.set_loaded();
        assert_eq!(life.contents(), Contents::Life);
        assert!(life.fail(failure(0)));
        life.all_off(true);
        life.set_scrubbed(4096);
        assert_eq!(life.recreate(), Ok(()));
        assert_eq!(life.scrubbed(), 0, "whoever scrubs begins at the beginning");
        life.created();
        assert_eq!(life.state(), State::CREATED);
        assert_eq!(life.contents(), Contents::Zeros);
        assert!(life.failure().is_none() && life.restart_policy().total() == 0);
    }
}
