//! The bite of a watchdog: a VM whose guest has not petted its own in time has failed.

use crate::machine::Machine;
use crate::vm::failure::{Failure, Reason};
use crate::vm::report::Occasion;
use crate::vm::{Vcpu, Vm};

impl Machine {
    /// Looks at the watchdogs for which the timer of core `core` was set, this one, which has the registers of `loaded`. Returns
    /// when it is to be set for them again: the physical counter then.
    pub fn look_at_watchdogs(&self, core: usize, loaded: Option<&Vcpu>) -> Option<u64> {
        self.vms.iter().filter_map(|vm| vm.look_at_own(core, loaded)).min()
    }
}

impl Vm {
    /// Looks at the VM's own, as above, and ends the VM if it bites. What is said of where the guest was is about the vCPU there.
    fn look_at_own(&self, core: usize, loaded: Option<&Vcpu>) -> Option<u64> {
        let mut ended = None;
        let next = self.look_at_watchdog(core, || {
            let failure = self.unpetted(core, loaded);
            let occasion = if self.life.restart_policy().has_left() { Occasion::Repeatable } else { Occasion::End };
            // A VM whose end was decided before ends by that.
            ended = self.fail(failure).then_some((failure, occasion));
        });
        if let Some((Failure { reason, vcpu, pc, .. }, occasion)) = ended {
            self.report(
                occasion,
                format_args!("{} vcpu {vcpu}: stopped: {reason}: not petted in time: pc {pc:#x}", self.name()),
            );
        }
        next
    }

    /// What is to be said of a bite on core `core`.
    #[cold]
    fn unpetted(&self, core: usize, loaded: Option<&Vcpu>) -> Failure {
        let own = loaded.filter(|vcpu| core::ptr::eq(vcpu.vm, self));
        let vcpu = own.or_else(|| self.vcpus().iter().find(|vcpu| vcpu.core == core));
        let (vcpu, pc) = vcpu.map_or((0, 0), |vcpu| (vcpu.index, vcpu.place_of_guest()));
        Failure { reason: Reason::Watchdog, vcpu, syndrome: 0, pc, address: 0 }
    }
}
