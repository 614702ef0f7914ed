//! The way back to the guest, and what may keep a vCPU from it.
//!
//! The way is there several times, each inlined where a trap ends and compiled for what is known there: which GIC there is, and
//! whether the guest was given a register that the vectors do not restore by themselves (x19 to x29). What is rare is out of
//! line. The reason is in the calling convention: a function that holds anything across a call saves x19 to x30, up to six
//! pairs, so up to 12 instructions there and back, and all that is inlined into it pays for them. The read of an ID register
//! takes 104 instructions as a whole (docs/numbers.md).

use portcullis_arch::{barrier, timer, vectors::Next};

use super::interrupts;
use crate::cpu::gic::Interface;
use crate::vm::Vcpu;

/// The first general register that the vectors do not restore without being told to.
const FIRST_CALLEE_SAVED: u64 = 19;

impl Vcpu {
    /// Waits until an interrupt is ready for the guest, as WFI and PSCI CPU_SUSPEND do, and serves EL2's own meanwhile. Some:
    /// it does not go on at once, but leaves the core, for good or until there is an interrupt, and this is what the vectors do
    /// next.
    #[inline(always)]
    pub fn wait(&'static self) -> Option<Next> {
        loop {
            if self.vm.vgic.needs_flush(self.index) {
                self.flush_interrupts_and_see();
            }
            if !self.vm.may_run()
                && let Some(next) = self.obey()
            {
                return Some(next);
            }
            if self.has_interrupt() {
                return None;
            }
            if let Some(off_core) = self.off_core() {
                off_core.wait();
                return Some(Next::Leave);
            }
            self.rest();
        }
    }

    /// [`wait`](Self::wait) of a guest that goes on behind its WFI.
    #[inline(never)]
    pub fn wait_and_resume(&'static self) -> Next {
        self.wait().unwrap_or(Next::Resume)
    }

    /// Waits for an interrupt on this core, which is the vCPU's alone, and takes it.
    pub(super) fn rest(&'static self) {
        // It would not wait while an SError is pending.
        self.drain_errors();
        barrier::wfi();
        let _ = interrupts::take(self);
    }

    /// Does what is to become of the VM: leaves the core, or stands still until the VM goes on, on the core if it has that to
    /// itself. Some: the vCPU has left, and this is what the vectors do next.
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
            if self.off_core().is_some() {
                // Others have the core meanwhile.
                return Some(Next::Leave);
            }
            self.stand_still_on_core();
        }
    }

    /// Stands still on this core, which is the vCPU's alone, until its VM goes on or ends. Its virtual timer stands still with
    /// its counter; the physical one runs on.
    fn stand_still_on_core(&'static self) {
        self.times.leaves(timer::count());
        let control = timer::hold_virtual_timer();
        self.vm.parked(self);
        while self.vm.state().is_held() || !self.vm.unparked(self) {
            self.rest();
        }
        // Its list registers may have been written since it came to EL2, and whoever flushes next must see that.
        barrier::isb();
        timer::release_virtual_timer(control, self.vm.counter_offset());
        self.times.enters(timer::count());
        self.vm.watchdog_timer_goes_on();
    }

    /// What every way back to the guest ends with: is there a reason not to go back, and is there an interrupt to give?
    #[inline(always)]
    pub fn before_resume<G: Interface>(&'static self) -> Next {
        self.before_resume_by(Self::flush_and_resume::<G>)
    }

    /// [`before_resume`](Self::before_resume) for who has brought the list registers up to date already.
    #[inline(always)]
    pub fn before_resume_again<G: Interface>(&'static self) -> Next {
        self.before_resume_by(Self::flush_again_and_resume::<G>)
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

    /// Every way out is a call in tail position, so that none needs a frame.
    #[inline(always)]
    fn before_resume_by(&'static self, flush_and_resume: impl FnOnce(&'static Self) -> Next) -> Next {
        if !self.vm.may_run() {
            return self.obey_and_resume();
        }
        if self.vm.vgic.needs_flush(self.index) {
            return flush_and_resume(self);
        }
        Next::Resume
    }

    /// [`before_resume`](Self::before_resume) of one whose VM is to stand still, or to end.
    #[cold]
    #[inline(never)]
    fn obey_and_resume(&'static self) -> Next {
        if let Some(next) = self.obey() {
            return next;
        }
        if self.vm.vgic.needs_flush(self.index) { self.flush_on_any_and_resume() } else { Next::Resume }
    }
}
