//! A device's interrupt line, and the virtual GIC at its other end.

use portcullis_devices::Line;

use crate::cpu::physical_core::Processor;
use crate::vm::Vm;

/// Sets a line of a device of `vm`. If it changes, the virtual GIC is told, and the vCPUs that must look are made to.
#[inline]
pub fn drive(vm: &Vm, line: &mut Line, level: bool) {
    if let Some(level) = line.set(level) {
        // The one on this core looks on its way back to the guest.
        let here = Processor::current().and_then(Processor::loaded).filter(|vcpu| core::ptr::eq(vcpu.vm, vm));
        let set = vm.vgic.set_spi_level(line.intid(), level);
        vm.kick(here.map_or(set, |vcpu| set.without(vcpu.index)));
    }
}
