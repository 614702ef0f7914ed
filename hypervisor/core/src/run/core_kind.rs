//! What a vCPU does on its core where that depends on whether others share it.

use portcullis_arch::vectors::Next;
use portcullis_vgic::HARDWARE_LINKED;

use super::worker::Worker;
use crate::machine::Machine;
use crate::vm::Vcpu;
use crate::vm::power::PowerState;

impl Vcpu {
    /// Enables or disables physical interrupts that are linked to virtual ones of this vCPU: a set of bits by INTID.
    /// They follow the guest's own enables, so that one it does not want is not taken.
    pub fn enable_linked(&self, set: u32, enabled: bool) {
        let set = set & HARDWARE_LINKED;
        if set == 0 {
            return;
        }
        let Some(off_core) = self.off_core() else { return self.enable_alone(set, enabled) };
        // Its core has the enables of the vCPU that is there.
        let shared = Worker::current().and_then(Worker::shared_core);
        if let Some(shared) = shared.filter(|shared| shared.loaded().is_some_and(|here| core::ptr::eq(here, self))) {
            return shared.follow_enables(self);
        }
        // It looks at both on its way to the guest, at one after the other: for each it is kicked at most once until it has run.
        let (first, attends) = (off_core.change_enables(), self.vm.vgic.attend(self.index));
        if (first || attends) && self.power() != PowerState::Off {
            Machine::get().kick(self.core);
        }
    }

    /// Takes the vCPU off this core, its own, for good or until it is switched on again. Returns what the vectors do next.
    #[cold]
    pub fn retire(&'static self) -> Next {
        match Worker::current().and_then(Worker::shared_core) {
            Some(shared) => shared.retire(self),
            None => self.leave_core(|| self.enable_alone(HARDWARE_LINKED, false)),
        }
    }
}
