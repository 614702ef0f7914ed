//! What a physical core works at: the vCPUs that it runs, and what it does when it has none.

use portcullis_arch::{barrier, cpu, optional, timer, vectors};
use spin::Once;

use super::interrupts;
use super::shared_core::SharedCore;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;
use crate::cpu::speculation::AtChange;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::vm::state::State;
use crate::vm::step::Step;

/// Bytes of a VM's memory that its core fills at a time if it has nothing else to do but to take interrupts: a block of EL2's
/// window.
const PIECE: u64 = 2 << 20;

/// What a core runs.
pub enum Work {
    /// One vCPU, and nothing else.
    One(&'static Vcpu),
    /// vCPUs that share it.
    Several(&'static SharedCore),
}

/// A core with its work. The core comes first: TPIDR_EL2 points to both.
#[repr(C)]
pub struct Worker {
    /// The core.
    pub core: Core,
    work: Once<Work>,
}

impl Worker {
    /// Gives `core` a worker that has nothing to do yet.
    pub fn new(core: Core) -> Self {
        Self { core, work: Once::new() }
    }

    /// The worker of the core on which this code runs, once [`adopt`](Self::adopt) was called on it.
    #[inline(always)]
    pub fn current() -> Option<&'static Self> {
        let anchor = cpu::anchor();
        // SAFETY: TPIDR_EL2 is zero or what `adopt` put there: the address of a worker that lives for ever.
        unsafe { anchor.cast::<Self>().as_ref() }
    }

    /// Has a fault on the core on which the code runs be told of as this core's, before it is [adopted](Self::adopt).
    pub fn anchor(&'static self) {
        // SAFETY: the worker lives for ever, and its first field's first field is the anchor; its stacks live as long and belong
        // to this core alone.
        unsafe {
            cpu::set_anchor(core::ptr::from_ref(self).cast());
        }
    }

    /// Makes this the worker of the core on which the code runs. That core serves guests from now on.
    pub fn adopt(&'static self) {
        self.core.identify(Machine::get().board.firmware);
        self.anchor();
        if let Some(protection) = self.core.protection() {
            vectors::harden(protection.at_exit());
            optional::restrict_at_change(protection.at_change() == AtChange::Restrict);
        }
        self.core.becomes_online();
    }

    /// Gives it what it runs. To be called once, before it runs anything.
    pub fn give(&self, work: Work) {
        self.work.call_once(|| work);
    }

    /// The vCPU whose registers the core has, which looks at its interrupts before it goes on.
    pub fn loaded(&self) -> Option<&'static Vcpu> {
        match self.work.get()? {
            Work::One(vcpu) => Some(vcpu),
            Work::Several(shared) => shared.loaded(),
        }
    }

    /// Does something with each vCPU that it runs.
    pub fn for_each_vcpu(&self, act: impl FnMut(&'static Vcpu)) {
        match self.work.get() {
            Some(Work::One(vcpu)) => core::iter::once(*vcpu).for_each(act),
            Some(Work::Several(shared)) => shared.vcpus().for_each(act),
            None => {}
        }
    }

    /// How the core shares its time among vCPUs, if it does.
    #[inline]
    pub fn shared_core(&self) -> Option<&'static SharedCore> {
        match self.work.get()? {
            Work::One(_) => None,
            Work::Several(shared) => Some(shared),
        }
    }

    /// Runs whatever there is to run, for ever.
    pub fn work(&'static self) -> ! {
        let core = &self.core;
        let alone = match self.work.get() {
            Some(Work::Several(shared)) => shared.run(core),
            Some(Work::One(vcpu)) => Some(*vcpu),
            None => None,
        };
        loop {
            if let Some(vcpu) = alone {
                match vcpu.step() {
                    Step::Cancel => {
                        vcpu.vm.retired(vcpu);
                        continue;
                    }
                    Step::Load => match vcpu.vm.life.restart_policy().waits(timer::count()) {
                        Some(at) => core.arm(Timer::Schedule, at),
                        // The core that has some of its RAM mapped yet calls this one when it has forgotten that.
                        None if !vcpu.vm.aliases.are_gone() => {}
                        None => {
                            vcpu.vm.load_and_start(vcpu, PIECE);
                            interrupts::take_all(core, alone);
                            continue;
                        }
                    },
                    Step::Start => {
                        if !vcpu.vm.unparked(vcpu) || vcpu.vm.state() != State::RUNNING {
                            continue;
                        }
                        vcpu.start_alone(core)
                    }
                    Step::Wake => {
                        if vcpu.vm.unparked(vcpu) && vcpu.vm.state() == State::RUNNING {
                            vcpu.wake_alone(core)
                        }
                        continue;
                    }
                    // It was woken, and its VM ends before it goes on.
                    Step::Retire if !vcpu.is_on() => {
                        let _ = vcpu.retire();
                        continue;
                    }
                    Step::Scrub if vcpu.vm.aliases.are_gone() => {
                        vcpu.vm.scrub_piece(PIECE);
                        interrupts::take_all(core, alone);
                        continue;
                    }
                    Step::Hold if !vcpu.is_on() => {
                        vcpu.times.stops_being_runnable(timer::count());
                        vcpu.vm.parked(vcpu);
                    }
                    // A vCPU that is on is in its guest, or on its way there, and not here; nor is one that sleeps.
                    Step::Hold | Step::Nothing | Step::Retire | Step::Run | Step::Sleep | Step::Scrub => {}
                }
            }
            // It would not wait while an SError is pending; what a vCPU has caused was taken when it went.
            core.drain_errors(None);
            barrier::wfi();
            interrupts::take_all(core, alone);
        }
    }
}
