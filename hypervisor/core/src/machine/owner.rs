//! VMs as their devices see them.

use portcullis_board::WallClock;

use super::Machine;
use crate::devices::owner::Owner;
use crate::vm::{Vcpu, Vm};

/// The VM, seen from a vCPU of it that uses the device, on that one's own core. It looks at its interrupts on its way back to the
/// guest.
impl Owner for Vcpu {
    fn set_level(&self, intid: u32, level: bool) {
        let set = self.vm.vgic.set_spi_level(intid, level);
        self.vm.kicks.send(set.without(self.index));
    }

    fn set_level_of(&self, vm: usize, intid: u32, level: bool) {
        set_level_of(vm, Some(self), intid, level);
    }

    fn wall_clock(&self) -> Option<&'static dyn WallClock> {
        Machine::get().wall_clock()
    }
}

/// A VM, seen from a core where something of it is done that none of its vCPUs asked for.
pub struct Beside<'a> {
    vm: &'a Vm,
    /// The vCPU of the VM whose registers that core has, if it is one. It looks at its interrupts before it goes on.
    here: Option<usize>,
}

impl<'a> Beside<'a> {
    /// Sees `vm` from this core, which has the registers of `loaded`.
    pub fn of(vm: &'a Vm, loaded: Option<&Vcpu>) -> Self {
        let own = loaded.filter(|vcpu| core::ptr::eq(vcpu.vm, vm));
        Self { vm, here: own.map(|vcpu| vcpu.index) }
    }
}

/// Sets a line of the VM with this number from a core that has the registers of `loaded`.
fn set_level_of(vm: usize, loaded: Option<&Vcpu>, intid: u32, level: bool) {
    if let Some(vm) = Machine::get().vms.get(vm) {
        Beside::of(vm, loaded).set_level(intid, level);
    }
}

impl Owner for Beside<'_> {
    fn set_level(&self, intid: u32, level: bool) {
        let set = self.vm.vgic.set_spi_level(intid, level);
        self.vm.kicks.send(self.here.map_or(set, |index| set.without(index)));
    }

    fn set_level_of(&self, vm: usize, intid: u32, level: bool) {
        set_level_of(vm, None, intid, level);
    }

    fn wall_clock(&self) -> Option<&'static dyn WallClock> {
        Machine::get().wall_clock()
    }
}

/// A VM, seen from a core that has nothing of it, or does not know.
impl Owner for Vm {
    fn set_level(&self, intid: u32, level: bool) {
        self.kicks.send(self.vgic.set_spi_level(intid, level));
    }

    fn set_level_of(&self, vm: usize, intid: u32, level: bool) {
        set_level_of(vm, None, intid, level);
    }

    fn wall_clock(&self) -> Option<&'static dyn WallClock> {
        Machine::get().wall_clock()
    }
}
