//! The interrupts of the devices that a VM drives itself: on while it runs, and off while it does not.

use portcullis_board::device::{Device, Interrupt};

use super::Vm;
use super::vcpu::Vcpu;
use crate::machine::Machine;
use crate::processor::Processor;

impl Vm {
    fn device_interrupts(&self) -> impl Iterator<Item = &Interrupt> {
        self.devices.iter().flat_map(|device: &Device| &device.interrupts)
    }

    /// On the first vCPU's core, with every vCPU off: lets the interrupts of the VM's devices come, to this core. The virtual
    /// GIC passes them on to the vCPU that the guest wants them at.
    pub fn connect_devices(&self, first: &Vcpu) {
        let machine = Machine::get();
        let Some(processor) = machine.processors.get(first.core).filter(|_| !self.devices.is_empty()) else { return };
        // This core may have taken one when another had just seen the VM's end.
        self.disconnect_devices();
        self.vgic.reset();
        for interrupt in self.device_interrupts() {
            self.vgic.set_shared_trigger(interrupt.physical, interrupt.edge);
            machine.board.interrupts.set_trigger(interrupt.physical, interrupt.edge);
            machine.board.interrupts.enable_shared(interrupt.physical, processor.affinity);
        }
    }

    /// With every vCPU off: no interrupt of the VM's devices comes any more, and none is left active.
    pub fn disconnect_devices(&self) {
        self.device_interrupts().for_each(|interrupt| Machine::get().board.interrupts.quiet_shared(interrupt.physical));
    }

    /// On the core `here`: an interrupt of one of the VM's devices has come, and stays active until the guest ends it.
    #[cold]
    pub fn device_interrupt(&self, here: &Processor, intid: u32) {
        let set = self.vgic.raise_shared(intid);
        // A vCPU on this core looks before it runs.
        let own = here.loaded().filter(|vcpu| core::ptr::eq(vcpu.vm, self));
        self.kick(own.map_or(set, |vcpu| set.without(vcpu.index)));
    }
}
