//! How many VMs run: with the last one the machine goes off.

use core::sync::atomic::Ordering;

use crate::machine::Machine;
use crate::vm::state::Phase;

impl Machine {
    /// A VM has begun to run.
    pub fn vm_started(&self) {
        self.running.fetch_add(1, Ordering::AcqRel);
    }

    /// A VM has stopped for good; with the last one the machine goes off, unless its end is decided already.
    pub fn vm_ended(&self) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 && self.shutdown.wanted().is_none() {
            let failed = self.vms.iter().filter(|vm| vm.phase() == Phase::Failed).count();
            match failed {
                0 => log::info!("no VM is running any more: power off"),
                _ => log::info!("no VM is running any more ({failed} failed): power off"),
            }
            self.power_off();
        }
    }
}
