//! A virtual core: its state in one place, and how it comes to run on its physical core and leaves it.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use portcullis_abi::map;
use portcullis_arch::{
    account::Account,
    barrier,
    context::Context,
    el1,
    el1::El1State,
    el2, paging, timer, vectors,
    vectors::{Handlers, Next},
};

use super::Vm;
use crate::interface::Interface;
use crate::machine::Machine;
use crate::processor::{KICK, Processor};
use crate::trap::{exception, interrupt};
use crate::vgic::HARDWARE_LINKED;
use crate::with_interface;

/// The first general register that the vectors do not restore without being told to.
const FIRST_CALLEE_SAVED: u64 = 19;

/// Power state of a vCPU (DEN0022, section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Power {
    /// Off.
    Off = 0,
    /// Off; its core is about to load the VM's images and then to start it.
    LoadPending = 1,
    /// Off; its core is about to start it.
    OnPending = 2,
    /// On.
    On = 3,
}

/// A vCPU. The context comes first: the vectors know the vCPU by its address.
#[repr(C)]
pub struct Vcpu {
    context: UnsafeCell<Context>,
    /// The VM to which it belongs.
    pub vm: &'static Vm,
    /// Its number in the VM, which is also its affinity level 0.
    pub index: usize,
    /// The physical core on which it runs.
    pub core: usize,
    power: AtomicU8,
    entry: AtomicU64,
    argument: AtomicU64,
    /// Physical counter at the moment when it became runnable.
    runnable_since: AtomicU64,
    /// Ticks for which it was runnable and did not run, in this life of the VM.
    stolen: AtomicU64,
    /// Whether the guest has asked for its PV time structure.
    stolen_wanted: AtomicU8,
}

// SAFETY: everything is atomic or immutable but the context, which only the vCPU's own core touches.
unsafe impl Sync for Vcpu {}

impl Vcpu {
    /// A vCPU that is off.
    pub fn new(vm: &'static Vm, index: usize, core: usize) -> Self {
        Self {
            context: UnsafeCell::new(Context::new()),
            vm,
            index,
            core,
            power: AtomicU8::new(Power::Off as u8),
            entry: AtomicU64::new(0),
            argument: AtomicU64::new(0),
            runnable_since: AtomicU64::new(0),
            stolen: AtomicU64::new(0),
            stolen_wanted: AtomicU8::new(0),
        }
    }

    /// The vCPU whose context the vectors handed over.
    #[inline(always)]
    pub fn of(context: &mut Context) -> &'static Self {
        // SAFETY: only contexts that are the first field of a vCPU are ever entered, and vCPUs are never freed.
        unsafe { &*core::ptr::from_mut(context).cast::<Self>() }
    }

    /// What is counted of it.
    #[inline(always)]
    pub fn account(&self) -> &Account {
        // SAFETY: the account is made of atomics; it lives as long as the vCPU.
        unsafe { &(*self.context.get()).account }
    }

    /// Its bit in sets of vCPUs.
    pub fn bit(&self) -> u32 {
        1u32.checked_shl(self.index as u32).unwrap_or(0)
    }

    /// Says on which core it runs.
    pub fn assigned_to(&self, processor: &Processor) {
        self.vm.set_kick(self.index, with_interface!(G => G::signal(KICK, processor)));
    }

    /// Power state.
    pub fn power(&self) -> Power {
        match self.power.load(Ordering::Acquire) {
            0 => Power::Off,
            1 => Power::LoadPending,
            2 => Power::OnPending,
            _ => Power::On,
        }
    }

    /// What [`Vcpu::run`] does as far as others see it, for tests that play the cores.
    #[cfg(test)]
    pub fn pretend_on(&self) {
        self.power.store(Power::On as u8, Ordering::Release);
    }

    /// Takes it from off to `next` with where to start; false when it was not off.
    pub fn switch_on(&self, next: Power, entry: u64, argument: u64) -> bool {
        // Between the two exchanges no other caller can get in: On is not Off.
        if self.power.compare_exchange(Power::Off as u8, Power::On as u8, Ordering::AcqRel, Ordering::Acquire).is_err()
        {
            return false;
        }
        // Ours now, and not on yet: before this it could be about to go off, after this its VM could end without it.
        self.vm.becomes_live(self);
        self.entry.store(entry, Ordering::Relaxed);
        self.argument.store(argument, Ordering::Relaxed);
        self.runnable_since.store(timer::count(), Ordering::Relaxed);
        self.power.store(next as u8, Ordering::Release);
        true
    }

    /// Marks it as off. Its core must have left it.
    pub fn switched_off(&self) {
        self.power.store(Power::Off as u8, Ordering::Release);
    }

    /// Ticks of stolen time so far.
    pub fn stolen(&self) -> u64 {
        self.stolen.load(Ordering::Relaxed)
    }

    /// The guest asked for its stolen time: from now on it is published.
    pub fn want_stolen(&self) {
        self.stolen_wanted.store(1, Ordering::Relaxed);
        self.publish_stolen();
    }

    /// Forgets the account of a former life of the VM.
    pub fn reset_account(&self) {
        self.stolen.store(0, Ordering::Relaxed);
        self.stolen_wanted.store(0, Ordering::Relaxed);
    }

    fn publish_stolen(&self) {
        if self.stolen_wanted.load(Ordering::Relaxed) != 0 {
            self.vm.pv_time.publish(self.index, self.stolen());
        }
    }

    /// Starts it on this core, which must be its own, where [`switch_on`](Self::switch_on) said. Does not return: the
    /// core comes back through the vectors.
    pub fn run(&'static self, processor: &'static Processor) -> ! {
        El1State::RESET.load();
        el1::clear_simd();
        el1::clear_optional();
        el2::set_vcpu_number(self.index as u64);
        timer::set_virtual_offset(self.vm.counter_offset());
        with_interface!(G => G::reset_virtual_interface());
        // SAFETY: the VM's tables live as long as the VM and map only its own memory.
        unsafe {
            el2::set_stage2(self.vm.vttbr());
        }
        // Nothing that the TLB of this core remembers of a former life of the VM is true.
        paging::invalidate_vm();
        self.reset_interrupts();
        self.flush_interrupts();
        self.enable_linked(self.vm.vgic.enabled_private(self.index) & HARDWARE_LINKED, true);

        let waited = timer::count().saturating_sub(self.runnable_since.load(Ordering::Relaxed));
        self.stolen.fetch_add(waited, Ordering::Relaxed);
        self.publish_stolen();
        self.power.store(Power::On as u8, Ordering::Release);

        let context = self.context.get();
        // SAFETY: no one else touches the context of a vCPU but its own core, which is here; the account in it is atomic.
        unsafe {
            let (entry, argument) = (self.entry.load(Ordering::Relaxed), self.argument.load(Ordering::Relaxed));
            let handlers = with_interface!(G => {
                Handlers { interrupt: interrupt::while_running::<G>, exception: exception::taken::<G> }
            });
            (*context).start(entry, argument, processor.stack(), handlers);
            self.vm.give_answers(&mut *context);
            vectors::enter(context)
        }
    }

    /// Enables or disables physical interrupts that are linked to virtual ones of this vCPU: a set of bits by INTID.
    /// They follow the guest's own enables, so that one it does not want is not taken.
    pub fn enable_linked(&self, set: u32, enabled: bool) {
        let interrupts = Machine::get().board.interrupts;
        for intid in [map::TIMER_VIRTUAL_INTID, map::TIMER_PHYSICAL_INTID] {
            if set & 1 << intid != 0 {
                interrupts.enable_private(self.core, intid, enabled);
            }
        }
    }

    /// Takes the guest off this core and leaves nothing of it behind. The caller says what becomes of the vCPU.
    fn unload(&self) {
        El1State::RESET.load();
        self.enable_linked(HARDWARE_LINKED, false);
        self.reset_interrupts();
        with_interface!(G => G::stop_virtual_interface());
    }

    /// Drops what is pending or active for it on this core.
    fn reset_interrupts(&self) {
        self.vm.kick(with_interface!(G => self.vm.vgic.reset_vcpu(self.index, &mut G::here())));
    }

    /// Whether an interrupt is ready for the guest.
    pub fn has_interrupt(&self) -> bool {
        with_interface!(G => self.vm.vgic.has_pending(self.index, &G::here()))
    }

    /// The vCPU goes off this core for good or until it is switched on again. Returns what the vectors do next.
    #[cold]
    pub fn retire(&'static self) -> Next {
        self.unload();
        self.vm.retired(self);
        Next::Leave
    }

    /// Does what is to become of the VM: leaves the core, or stands still on it until the VM goes on. Some: the vCPU has
    /// left, and this is what the vectors do next.
    #[cold]
    pub fn obey(&'static self) -> Option<Next> {
        loop {
            let state = self.vm.state();
            if state.must_leave() {
                return Some(self.retire());
            }
            if !state.is_held() {
                return None;
            }
            self.vm.parked(self);
            while self.vm.state().is_held() {
                barrier::wfi();
                interrupt::take(self);
            }
            self.vm.unparked(self);
        }
    }

    /// What every way back to the guest ends with: is there a reason not to go back, and is there an interrupt to give?
    #[inline(always)]
    pub fn before_resume<G: Interface>(&'static self) -> Next {
        self.before_resume_by(Self::flush_and_resume::<G>)
    }

    /// [`before_resume`](Self::before_resume) after general register `register` of the guest was given a value.
    #[inline(always)]
    pub fn before_resume_with<G: Interface>(&'static self, register: u64) -> Next {
        if register < FIRST_CALLEE_SAVED { self.before_resume::<G>() } else { self.restore_and_resume() }
    }

    /// [`before_resume`](Self::before_resume) for what is the same whatever the GIC is.
    #[inline(always)]
    pub fn before_resume_on_any(&'static self) -> Next {
        self.before_resume_by(Self::flush_on_any_and_resume)
    }

    /// The same after general register `register` of the guest was given a value.
    #[inline(always)]
    pub fn before_resume_on_any_with(&'static self, register: u64) -> Next {
        if register < FIRST_CALLEE_SAVED { self.before_resume_on_any() } else { self.restore_and_resume() }
    }

    #[inline(never)]
    fn restore_and_resume(&'static self) -> Next {
        match self.before_resume_on_any() {
            Next::Resume => Next::Restore,
            next => next,
        }
    }

    #[inline(always)]
    fn before_resume_by(&'static self, flush_and_resume: impl FnOnce(&Self) -> Next) -> Next {
        if !self.vm.may_run()
            && let Some(next) = self.obey()
        {
            return next;
        }
        if self.vm.vgic.needs_flush(self.index) {
            return flush_and_resume(self);
        }
        Next::Resume
    }

    /// Out of line: most ways back have nothing to flush, and shall not pay for its registers.
    #[inline(never)]
    fn flush_and_resume<G: Interface>(&self) -> Next {
        let others = self.vm.vgic.flush(self.index, &mut G::here());
        self.vm.kick_by::<G>(others);
        Next::Resume
    }

    #[inline(never)]
    fn flush_on_any_and_resume(&self) -> Next {
        with_interface!(G => self.flush_and_resume::<G>())
    }

    /// Brings the list registers of this core, which is the vCPU's, up to date.
    pub fn flush_interrupts(&self) {
        let _ = self.flush_on_any_and_resume();
    }
}
