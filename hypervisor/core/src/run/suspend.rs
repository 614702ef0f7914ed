//! A VM that its guest has suspended (PSCI SYSTEM_SUSPEND): how its last vCPU sleeps on its core, what wakes it, and how it goes
//! on.
//!
//! GIC, devices and counter stay as they are, and so do the vCPU's timers, which can wake it. What goes is what a core loses that
//! is switched off: its registers and its CPU interface. So it goes on as CPU_ON would begin it.

use portcullis_abi::manage;
use portcullis_arch::{timer, vectors::Next};

use crate::cpu::gic::VirtualControl;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::vm::power::PowerState;
use crate::vm::report::Occasion;
use crate::with_interface;

impl Vcpu {
    /// Suspends its VM, of which it alone is on, to go on at `entry` with `context` in x0. To be called on its own core, with its
    /// guest there. Returns what the vectors do next.
    #[cold]
    pub fn suspend(&'static self, entry: u64, context: u64) -> Next {
        self.vm.watchdog_stands_still();
        self.vm.report(Occasion::Repeatable, format_args!("{}: suspended", self.vm.name()));
        self.suspend_at(entry, context);
        self.vm.tell_phase(manage::PHASE_RUNNING, manage::PHASE_SUSPENDED);
        match self.off_core() {
            // Its core looks what wakes it whenever there is something new for it; what is there already it would not see.
            Some(off_core) => {
                off_core.wait();
                let _ = self.is_woken();
            }
            None => {
                self.times.leaves(timer::count());
                if let Some(next) = self.sleep_on_core() {
                    return next;
                }
                self.leave_interrupts();
            }
        }
        Next::Leave
    }

    /// Sleeps on this core, which is the vCPU's alone, until something wakes it. Some: its VM has ended instead, and this is what
    /// the vectors do next.
    fn sleep_on_core(&'static self) -> Option<Next> {
        loop {
            if !self.vm.may_run() {
                if let Some(next) = self.obey() {
                    return Some(next);
                }
                // It stood still, and was to go on: to sleep, and not to run.
                self.times.leaves(timer::count());
                continue;
            }
            if self.is_woken() {
                return None;
            }
            // What comes from here on is pending on this core: a line, or the kick of who has changed something.
            self.rest();
        }
    }

    /// Tells whether the vCPU, which is suspended and on this core, its own, is woken: by a manager, or by an interrupt.
    pub(super) fn is_woken(&self) -> bool {
        if self.vm.vgic.needs_flush(self.index) {
            self.flush_interrupts_and_see();
        }
        // The interrupt of a timer may be on its way to this core yet.
        let lines = timer::guest_lines();
        let by_interrupt =
            || with_interface!(G => self.vm.vgic.wakes(self.index, G::priority_mask(), lines, &G::here()));
        self.power() == PowerState::WakePending || by_interrupt() && self.wake(timer::count())
    }

    /// Takes its interrupts off this core, which is the vCPU's alone, as long as the core has something else to do. Its timers,
    /// whose lines tell no more, are off.
    fn leave_interrupts(&self) {
        self.drain_errors();
        timer::stop_guest_timers();
        with_interface!(G => {
            self.vm.vgic.leave_core(self.index, &mut G::here());
            G::stop_virtual_interface();
        });
    }

    /// Goes on on this core, its own, which it has to itself, after it was woken. Does not return: the core comes back through the
    /// vectors.
    pub(super) fn wake_alone(&'static self, core: &Core) -> ! {
        self.prepare_to_wake();
        self.begin(core, Machine::get().handlers.alone)
    }

    /// Makes this core, its own, that of a vCPU which was woken, and whose interrupts have left the core.
    pub(super) fn prepare_to_wake(&self) {
        self.prepare_registers();
        with_interface!(G => self.vm.vgic.enter_core(self.index, &mut G::here()));
        self.flush_interrupts();
        self.vm.watchdog_goes_on();
        self.vm.report(Occasion::Repeatable, format_args!("{}: awake", self.vm.name()));
        self.vm.tell_phase(manage::PHASE_SUSPENDED, manage::PHASE_RUNNING);
    }
}
