//! A virtual core: its state in one place. How it comes to run on its core and leaves it is in [`crate::run::enter`], how it goes
//! back to its guest in [`crate::run::resume`], and what is different where it shares its core in [`super::off_core`].

use core::sync::atomic::{AtomicU8, Ordering};

use portcullis_abi::state::{self, Unfit};
use portcullis_arch::vectors::Handlers;
use portcullis_arch::{account::Account, context::Context, el2, timer, vectors};
use portcullis_board::time::{nanoseconds, ticks};
use spin::Once;

use super::activity::{Activity, Times};
use super::off_core::OffCore;
use super::power::{Power, PowerState};
use super::step::{Step, step};
use super::timekeeping::Timekeeping;
use super::vector_abort::BeforeVector;
use super::{Vcpu, Vm};
use crate::cpu::physical_core::Core;

impl Vcpu {
    /// A vCPU that is off.
    pub fn new(vm: &'static Vm, index: usize, core: usize) -> Self {
        Self {
            context: Context::new(),
            vm,
            index,
            core,
            power: Power::new(),
            times: Timekeeping::new(),
            before_vector: BeforeVector::default(),
            stolen_wanted: AtomicU8::new(0),
            off_core: Once::new(),
        }
    }

    /// The vCPU whose context the vectors handed over.
    ///
    /// # Safety
    ///
    /// `context` must come from the vectors: the pointer with which the guest was entered.
    #[inline(always)]
    pub unsafe fn of(context: *const Context) -> &'static Self {
        // SAFETY: that pointer was made of a reference to a whole vCPU, whose first field the context is; vCPUs are never freed.
        unsafe { &*context.cast::<Self>() }
    }

    /// What is counted of it.
    #[inline(always)]
    pub fn account(&self) -> &Account {
        &self.context.account
    }

    /// Its bit in sets of vCPUs.
    pub fn bit(&self) -> u32 {
        1u32.checked_shl(self.index as u32).unwrap_or(0)
    }

    /// Its power state.
    pub fn power(&self) -> PowerState {
        self.power.state()
    }

    /// Whether it is on to its guest; see [`Power::is_switched_on`].
    pub fn is_switched_on(&self) -> bool {
        self.power.is_switched_on()
    }

    /// What its core owes it next.
    #[inline(always)]
    pub fn step(&self) -> Step {
        step(self.power(), self.vm.state(), || self.index == 0 && self.vm.is_scrubbing())
    }

    /// Whether it is on. To be called on its own core, or by who does not mind that this changes.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        self.power.is_on()
    }

    /// What [`Vcpu::run`] does as far as others see it, for tests that play the cores.
    #[cfg(any(test, feature = "rig"))]
    pub fn pretend_on(&self) {
        self.count_entry();
        self.power.enter();
    }

    /// Takes it from off to `next` with where to start; false when it was not off.
    pub fn switch_on(&self, next: PowerState, entry: u64, argument: u64) -> bool {
        if !self.claim() {
            return false;
        }
        // Ours now, and not on yet: before this it could be about to go off, after this its VM could end without it.
        self.vm.sets.on(self.bit());
        self.times.becomes_runnable(timer::count());
        self.power.begin(next, entry, argument);
        true
    }

    /// Keeps all others from switching it on; see [`Power::claim`].
    pub(crate) fn claim(&self) -> bool {
        self.power.claim()
    }

    /// Suspends it, on its own core; see [`Power::suspend`].
    pub(crate) fn suspend_at(&self, entry: u64, argument: u64) {
        self.power.suspend(entry, argument);
    }

    /// Wakes it at `now`, if it is suspended: its core is to look. False if it is not, or somebody else was first.
    pub(crate) fn wake(&self, now: u64) -> bool {
        let wakes = self.power.wake();
        if wakes {
            self.times.becomes_runnable(now);
        }
        wakes
    }

    /// Returns what is saved of its power state; see [`Power::save`].
    pub fn save_power(&self) -> Option<state::Power> {
        self.power.save()
    }

    /// Gives it, which is off, the power state that was saved; see [`Power::restore`].
    ///
    /// # Errors
    ///
    /// [`Unfit`].
    pub(crate) fn restore_power(&self, saved: &state::Power) -> Result<(), Unfit> {
        self.restore_power_of(&self.power, saved)
    }

    /// Checks that it could be given this state.
    ///
    /// # Errors
    ///
    /// [`Unfit`], as for [`restore_power`](Self::restore_power).
    pub(crate) fn check_power(&self, saved: &state::Power) -> Result<(), Unfit> {
        self.restore_power_of(&Power::new(), saved)
    }

    fn restore_power_of(&self, power: &Power, saved: &state::Power) -> Result<(), Unfit> {
        power.restore(saved, |entry| self.vm.can_begin_at(entry))
    }

    /// Marks it as off. Its core must have left it.
    pub fn switched_off(&self) {
        self.power.go_off();
    }

    /// Has it share its core. To be called once, before it is switched on.
    pub fn share_core(&self) {
        self.off_core.call_once(OffCore::new);
    }

    /// Its place beside its core, if it shares that.
    #[inline]
    pub fn off_core(&self) -> Option<&OffCore> {
        self.off_core.get().map(|off_core| &**off_core)
    }

    /// What it is doing.
    pub fn activity(&self) -> Activity {
        let waits = self.off_core().is_some_and(OffCore::is_waiting);
        match self.power() {
            PowerState::Off | PowerState::LoadPending => Activity::Off,
            _ if self.vm.sets().parked & self.bit() != 0 => Activity::Paused,
            _ if self.times.is_running() => Activity::Running,
            PowerState::Suspended => Activity::Waiting,
            PowerState::On if waits => Activity::Waiting,
            _ => Activity::Ready,
        }
    }

    /// What it has had of its core.
    pub fn times(&self) -> Times {
        self.times.read(timer::count())
    }

    /// The guest asked for its stolen time: from now on it is published.
    pub fn want_stolen(&self) {
        self.stolen_wanted.store(1, Ordering::Relaxed);
        self.publish_stolen();
    }

    /// Forgets the account of a former life of the VM.
    pub fn reset_account(&self) {
        self.times.reset();
        self.stolen_wanted.store(0, Ordering::Relaxed);
    }

    /// Returns what the guest knows, or could ask for, of its stolen time. To be called while the vCPU stands still, on a machine
    /// whose counter has so many ticks a second.
    pub fn save_stolen(&self, frequency: u64) -> state::StolenTime {
        let wanted = self.stolen_wanted.load(Ordering::Relaxed).into();
        let nanoseconds = nanoseconds(self.times.stolen(), frequency);
        state::StolenTime { version: state::StolenTime::VERSION, wanted, nanoseconds }
    }

    /// Takes on what was saved, for a vCPU that is off, and publishes it if the guest wants it: its stolen time never goes back.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore_stolen(&self, saved: &state::StolenTime, frequency: u64) -> Result<(), Unfit> {
        Unfit::check_version(saved.version, state::StolenTime::VERSION)?;
        let wanted = u8::try_from(saved.wanted).ok().filter(|wanted| *wanted <= 1);
        let wanted = wanted.ok_or(Unfit::Value("whether stolen time is wanted"))?;
        let ticks = ticks(saved.nanoseconds, frequency).ok_or(Unfit::Value("stolen time"))?;
        self.times.restore_stolen(ticks);
        self.stolen_wanted.store(wanted, Ordering::Relaxed);
        self.publish_stolen();
        Ok(())
    }

    fn publish_stolen(&self) {
        if self.stolen_wanted.load(Ordering::Relaxed) != 0 {
            self.vm.pv_time.publish(self.index, self.times.stolen());
        }
    }

    /// It goes into the guest now: what it waited for that was stolen, and the guest can see it.
    pub(crate) fn count_entry(&self) {
        self.times.enters(timer::count_relaxed());
        self.publish_stolen();
    }

    /// Notes where the guest goes on, for [`enter`](Self::enter).
    pub(crate) fn remember_place(&self) {
        self.context.elr.set(el2::return_address());
        self.context.spsr.set(el2::saved_state());
    }

    /// Where its guest is, to be asked on its own core; 0 if it is off. As long as nobody else was there, the core knows: a core of
    /// its own always.
    pub fn place_of_guest(&self) -> u64 {
        if !self.is_on() {
            return 0;
        }
        let here = self.off_core().is_none() || self.times.is_running();
        if here { el2::return_address() } else { self.context.elr.get() }
    }

    /// Makes its context that of a guest which starts where [`switch_on`](Self::switch_on) said, on this core, its own. `wide` as
    /// for [`Vm::give_fast_tables`]. From now on it is on.
    pub(crate) fn prepare_context(&'static self, core: &Core, handlers: Handlers, wide: bool) {
        self.count_entry();
        self.power.enter();
        let (entry, argument) = self.power.start();
        self.context.start(entry, argument, core.stack(), handlers);
        self.vm.give_fast_tables(&self.context, wide);
    }

    /// Enters the guest with the registers in the context.
    ///
    /// # Safety
    ///
    /// To be called on the vCPU's own core, which has all its other registers, its VM's stage 2 included.
    pub(crate) unsafe fn enter(&'static self) -> ! {
        // SAFETY: no one else touches the context of a vCPU but its own core, which is here, and its account is atomic; the core is
        // this vCPU's, as the caller says.
        unsafe { vectors::enter(core::ptr::from_ref(self).cast()) }
    }
}
