//! The devices of all VMs, and what time does to them.

use super::Machine;
use super::owner::Beside;
use crate::cpu::deadlines::Timer;
use crate::cpu::physical_core::Core;
use crate::vm::{Vcpu, Vm};

impl Machine {
    /// Has every device do what has come due as time went by, on core `core`, which has the registers of `loaded`. Returns when the
    /// timer of that core is to be set for them: the physical counter then.
    pub fn look_at_devices(&self, core: usize, loaded: Option<&Vcpu>) -> Option<u64> {
        let due = |vm| {
            let owner = Beside::of(vm, loaded);
            vm.bus.devices().filter_map(|device| device.look(&owner, core)).min()
        };
        self.vms.iter().filter_map(due).min()
    }

    /// Tells every device that the time of day was set, on a core that has the registers of `loaded`.
    pub fn tell_devices_of_time(&self, loaded: &Vcpu) {
        self.vms.iter().for_each(|vm| vm.tell_devices_of_time(Some(loaded)));
    }
}

impl Vm {
    /// Tells the VM's devices that the time of day is another one than they know, on a core that has the registers of `loaded`.
    pub fn tell_devices_of_time(&self, loaded: Option<&Vcpu>) {
        let (Some(here), owner) = (Core::current(), Beside::of(self, loaded)) else { return };
        let told = self.bus.devices().filter_map(|device| device.time_was_set(&owner, here.index)).min();
        told.into_iter().for_each(|next| here.arm_by(Timer::Device, next));
    }
}
