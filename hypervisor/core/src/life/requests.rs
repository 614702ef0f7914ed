//! Start, pause, stop, restart and re-creation of a VM.
//!
//! A VM is steered by a word that says what is to become of it, and a kick of its cores. Each vCPU leaves its core, or
//! stands still on it, by itself; the last one to do so does the rest. No core waits for what another takes long over:
//! that is done by a core of the VM that is meant.

use core::hint::spin_loop;

use portcullis_arch::timer;
use portcullis_gate::Profile;

use super::load::LoadError;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::machine::owner::Beside;
use crate::vm::failure::{Failure, Reason};
use crate::vm::manager_lock::ManagerLock;
use crate::vm::power::PowerState;
use crate::vm::report::Occasion;
use crate::vm::state::{Action, LifecycleError, Phase, State};
use crate::vm::wait::Wait;
use crate::vm::{Vcpu, Vm};

impl ManagerLock<'_> {
    /// Starts a VM that was only created: freezes its registers and filter, and has its first vCPU's core load it.
    ///
    /// # Errors
    ///
    /// As for every request: [`LifecycleError`].
    pub fn start(&self) -> Result<(), LifecycleError> {
        let vm = self.vm;
        vm.state().start()?;
        vm.check_image()?;
        Machine::get().vm_started();
        self.freeze();
        self.begin(Phase::Created);
        Ok(())
    }

    /// Has the VM's vCPUs stand still from their next exit on.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn pause(&self) -> Result<(), LifecycleError> {
        self.vm.life.pause()?;
        let _ = self.vm.kick_live();
        // Perhaps all of them still stand from the last time.
        self.vm.check_parked();
        Ok(())
    }

    /// Lets the vCPUs of a paused VM go on, or wakes one that its guest has suspended. One that was paused while it slept goes on
    /// sleeping.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn resume(&self) -> Result<(), LifecycleError> {
        self.go_on(State::resume)
    }

    /// The same of a VM that may have been given away. It runs twice then if it runs elsewhere.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn take_back(&self) -> Result<(), LifecycleError> {
        self.go_on(State::take_back)
    }

    /// Lets the VM go on by this change of its state.
    fn go_on(&self, change: fn(State) -> Result<State, LifecycleError>) -> Result<(), LifecycleError> {
        if self.vm.state() == State::RUNNING && self.vm.wake() {
            return Ok(());
        }
        let before = self.vm.phase();
        change(self.vm.state())?;
        self.vm.tell_generation();
        // It counts before it runs: it may switch itself off at once.
        Machine::get().vm_started();
        if let Err(refusal) = self.vm.life.resume(timer::count(), change) {
            Machine::get().vm_ended();
            return Err(refusal);
        }
        let _ = self.vm.kick_live();
        self.vm.tell_phase(before.shown(), self.vm.shown_phase());
        self.vm.resume_links();
        if before == Phase::GivenAway {
            let name = self.vm.name();
            self.vm.report(Occasion::Repeatable, format_args!("{name}: goes on here, although it was given away"));
        }
        Ok(())
    }

    /// Gives the VM away, which was saved since it was paused: it goes on elsewhere, and here only if somebody insists.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn give_away(&self) -> Result<(), LifecycleError> {
        let vm = self.vm;
        vm.life.give_away()?;
        vm.report(Occasion::Repeatable, format_args!("{}: given away", vm.name()));
        vm.tell_phase(Phase::Paused.shown(), Phase::GivenAway.shown());
        Ok(())
    }

    /// Takes the VM, which was given away, off its cores.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn forget(&self) -> Result<(), LifecycleError> {
        self.vm.life.forget()?;
        let _ = self.vm.kick_live();
        Ok(())
    }

    /// Takes the VM off its cores.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn stop(&self) -> Result<(), LifecycleError> {
        self.vm.life.stop()?;
        let _ = self.vm.kick_live();
        Ok(())
    }

    /// Has the VM start again from its images, with the registers and the filter that it had.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn restart(&self) -> Result<(), LifecycleError> {
        self.vm.state().restart()?;
        self.vm.check_image()?;
        self.restart_by(|state| match state.phase {
            // The word is changed when what is left to do for it is done; see `begin`.
            Phase::Stopped | Phase::Failed => state.restart().map(|_| state),
            _ => state.restart(),
        })
    }

    /// The same with this change of the VM's state, which is made anew when the state has changed meanwhile.
    pub(crate) fn restart_by(
        &self,
        change: impl Fn(State) -> Result<State, LifecycleError>,
    ) -> Result<(), LifecycleError> {
        let (vm, machine) = (self.vm, Machine::get());
        // A VM that does not run counts as running from here on, not only when its vCPUs have left their cores: the machine must
        // not be taken for idle meanwhile. Which state it is that changes is known only then: one that is to pause may do so now.
        machine.vm_started();
        let changed = vm.life.restart(change);
        if !changed.as_ref().is_ok_and(|(before, _)| before.phase != Phase::Running) {
            machine.vm_ended();
        }
        let (before, after) = changed?;
        if before == after {
            self.begin(before.phase);
        } else {
            let _ = vm.kick_live();
        }
        Ok(())
    }

    /// Has the VM made anew: its first vCPU's core scrubs its memory, piece by piece, and puts it back to created.
    ///
    /// # Errors
    ///
    /// [`LifecycleError`].
    pub fn recreate(&self) -> Result<(), LifecycleError> {
        let now = self.vm.state();
        now.recreate()?;
        if now.phase == Phase::Created {
            // Its registers are made anew in the end: a SET that comes meanwhile must not be taken, and then lost. A created
            // VM becomes nothing else without the lock, which is ours.
            self.derive();
        }
        self.vm.life.recreate()?;
        self.vm.images.iter().for_each(|images| _ = images.lose_ram());
        self.vm.kick_first();
        Ok(())
    }

    /// Makes firmware registers and filter final. Everything that is derived from them is derived here.
    fn derive(&self) {
        let profile = self.make_final();
        self.vm.work_out_fast_tables(profile, self.filter());
    }

    /// The same for a VM that is restored, whose [fast tables](Vm::work_out_part) were worked out of what they are now.
    pub(super) fn derive_restored(&self) {
        self.make_final();
        self.vm.adopt_fast_tables(self.filter());
    }

    /// Freezes them, and notes what they are for an audit. Returns what they come to.
    fn make_final(&self) -> Profile {
        let vm = self.vm;
        let profile = self.freeze_row();
        let everything = Profile::everything(&Machine::get().support(vm), profile.conduits());
        let everything = if profile.may_suspend() { everything.with_suspend() } else { everything };
        vm.audit.start(if profile.is_control() { everything.with_control() } else { everything });
        profile
    }

    /// Makes them final for a start, and says what they are.
    fn freeze(&self) {
        self.derive();
        let vm = self.vm;
        vm.report(Occasion::Repeatable, format_args!("{}: started with {}", vm.name(), vm.row.profile()));
    }

    /// The VM, none of whose vCPUs is on, and which was in phase `before`, runs from here on.
    fn begin(&self, before: Phase) {
        self.vm.life.run();
        self.vm.tell_phase(before.shown(), Phase::Running.shown());
        self.vm.start_first_vcpu(false);
    }
}

impl Vm {
    /// Checks that there is an image to start from, and says what is to be done if there is none.
    fn check_image(&self) -> Result<(), LifecycleError> {
        match &self.images {
            Some(images) if !images.exist() => {
                self.report(
                    Occasion::Repeatable,
                    format_args!("{}: not started: {}", self.name(), LoadError::NoImage(self.name())),
                );
                Err(LifecycleError::NoImage)
            }
            _ => Ok(()),
        }
    }

    /// Has the first vCPU's core load the VM. `again`: it is just off, and nobody but itself or a restart wants it back.
    pub(super) fn start_first_vcpu(&self, again: bool) {
        self.life.begin(again, timer::count(), timer::frequency());
        let Some(first) = self.vcpus().first() else { return };
        // What the VM had of its cores in its former life could be asked for until now.
        self.vcpus().iter().for_each(Vcpu::reset_account);
        self.sets.on(first.bit());
        self.bus.devices().for_each(|device| device.begin(&Beside::of(self, None)));
        self.tell_peers();
        // Its core may be two instructions away from marking it as off: see `retired`.
        if !first.switch_on(PowerState::LoadPending, 0, 0) {
            self.insist(first);
        }
        // A core that runs nothing else looks at its vCPU next, as it has just left it.
        let here = Core::current().filter(|here| here.index == first.core && first.off_core().is_none());
        if here.is_none() {
            Machine::get().kick(first.core);
        }
    }

    /// Has `first`, which is about to go off, load the VM as soon as it is.
    #[cold]
    fn insist(&self, first: &Vcpu) {
        let wait = Wait::new();
        wait.begin(timer::count());
        while !first.switch_on(PowerState::LoadPending, 0, 0) {
            spin_loop();
            if wait.is_overdue(timer::count(), timer::frequency()) {
                log::error!("core {} has not let {} vcpu 0 go off for 1 s", first.core, self.name());
            }
        }
    }

    /// On the first vCPU's core: puts a piece of the images in place, `most` bytes at a time, and makes the vCPU ready to run
    /// when all of them are.
    pub fn load_and_start(&self, first: &Vcpu, most: u64) {
        match self.load_piece(most) {
            Ok(None) => {}
            Ok(Some(entry)) => {
                self.life.counter().begin(timer::count());
                self.connect_devices();
                first.switched_off();
                first.switch_on(PowerState::OnPending, entry.kernel, entry.tree);
            }
            Err(error) => {
                self.report(Occasion::End, format_args!("{}: cannot be started: {error}", self.name()));
                self.fail(Failure { reason: Reason::Load, vcpu: first.index, syndrome: 0, pc: 0, address: 0 });
            }
        }
    }

    /// The guest ends this life of its VM: [`Action::Off`] or [`Action::Reset`]. The first word counts.
    pub fn stop(&self, action: Action) {
        if self.life.end(action) {
            self.kick_live_and_watch();
        }
    }

    /// Wakes the VM, if its guest has suspended it. False if it does not sleep, or something has woken it before.
    fn wake(&self) -> bool {
        let now = timer::count();
        let woken = self.vcpus().iter().find(|vcpu| vcpu.wake(now));
        woken.inspect(|vcpu| Machine::get().kick(vcpu.core)).is_some()
    }

    /// The VM cannot go on. The first failure counts, unless the VM's end is decided already: false then.
    pub fn fail(&self, failure: Failure) -> bool {
        let counts = self.life.fail(failure);
        if counts {
            self.kick_live_and_watch();
            self.tell_failure(&failure);
        }
        counts
    }

    /// Kicks the cores of the vCPUs that are on, for what they are asked now. Returns whether another core than this is among them.
    fn kick_live(&self) -> bool {
        self.watch_request(timer::count());
        let here = Core::current().map_or(usize::MAX, |here| here.index);
        let live = self.sets.now().on;
        let mut others = false;
        for vcpu in self.vcpus().iter().filter(|vcpu| live & vcpu.bit() != 0) {
            Machine::get().kick(vcpu.core);
            others |= vcpu.core != here;
        }
        others
    }

    /// The same for who does not ask later whether all of them have answered: if there are others, this core looks again when they
    /// should have.
    fn kick_live_and_watch(&self) {
        if self.kick_live()
            && let Some(here) = Core::current()
        {
            // It is overdue when more than a second has passed.
            here.arm_by(Timer::Watch, timer::count().saturating_add(timer::frequency()).saturating_add(1));
        }
    }

    fn kick_first(&self) {
        if let Some(first) = self.vcpus().first() {
            Machine::get().kick(first.core);
        }
    }
}
