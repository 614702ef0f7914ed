//! vCPUs that stand still: when all of them do, their VM is paused.

use portcullis_abi::manage;
use portcullis_arch::timer;

use crate::machine::Machine;
use crate::vm::report::Occasion;
use crate::vm::{Vcpu, Vm};

impl Vm {
    /// A vCPU stands still, as it was asked to.
    pub fn parked(&self, vcpu: &Vcpu) {
        self.sets.park(vcpu.bit());
        self.check_parked();
    }

    /// A vCPU that stood still is about to go on. False: it is to stand still again, and does; its VM was asked to pause, or has
    /// paused, while this one still counted. After true no pause ends without it, so that what it reads then, the counter's offset,
    /// is this life's until it stands still the next time.
    #[must_use]
    pub fn unparked(&self, vcpu: &Vcpu) -> bool {
        self.sets.unpark(vcpu.bit());
        let goes_on = !self.state().is_held();
        if !goes_on {
            self.parked(vcpu);
        }
        goes_on
    }

    /// If all vCPUs stand still and were to, the VM is paused.
    pub(super) fn check_parked(&self) {
        // The counter is read after the last vCPU has left its guest.
        if !self.sets.now().all_parked() {
            return;
        }
        if let Some(links) = self.links.filter(|_| self.state().all_parked().is_some()) {
            // Nobody begins work for it any more. What was begun ends before it counts as paused.
            links.rest();
        }
        if self.life.all_parked(timer::count()) {
            // Who reads events does not wait for a line.
            let before = if self.is_suspended() { manage::PHASE_SUSPENDED } else { manage::PHASE_RUNNING };
            self.tell_phase(before, manage::PHASE_PAUSED);
            self.tell_peers();
            self.report(Occasion::Repeatable, format_args!("{}: paused", self.name()));
            Machine::get().vm_ended();
        }
    }
}
