//! Watchdogs that bite: a VM whose guest has not petted its own in time has failed.

use crate::machine::Machine;
use crate::vm::failure::{Failure, Reason};
use crate::vm::report::Occasion;
use crate::vm::watchdog_timer::Look;
use crate::vm::{Vcpu, Vm};

impl Machine {
    /// Looks at the watchdogs for which the timer of core `core` was set, this one, which has the registers of `loaded`. Returns when
    /// it is to be set for them again: the physical counter then.
    pub fn look_at_watchdogs(&self, core: usize, loaded: Option<&Vcpu>) -> Option<u64> {
        let look = |vm: &Vm| match vm.look_at_watchdog(core) {
            Look::Nothing => None,
            Look::Again(at) => Some(at),
            Look::Bites => {
                vm.bite(core, loaded);
                None
            }
        };
        self.vms.iter().filter_map(look).min()
    }
}

impl Vm {
    /// Ends the VM for its watchdog, on core `core` as above. What is said of where the guest was is about the vCPU there.
    #[cold]
    fn bite(&self, core: usize, loaded: Option<&Vcpu>) {
        let own = loaded.filter(|vcpu| core::ptr::eq(vcpu.vm, self));
        let vcpu = own.or_else(|| self.vcpus().iter().find(|vcpu| vcpu.core == core));
        let (index, pc) = vcpu.map_or((0, 0), |vcpu| (vcpu.index, vcpu.place_of_guest()));
        let occasion = if self.life.restart_policy().has_left() { Occasion::Repeatable } else { Occasion::End };
        let reason = Reason::Watchdog;
        // A VM whose end was decided before ends by that.
        if self.fail(Failure { reason, vcpu: index, syndrome: 0, pc, address: 0 }) {
            self.report(
                occasion,
                format_args!("{} vcpu {index}: stopped: {reason}: not petted in time: pc {pc:#x}", self.name()),
            );
        }
    }
}
