//! The interrupts of the devices that a VM drives itself: on while it runs, and off while it does not.

use portcullis_board::device::{Device, Interrupt};
use portcullis_vgic::Vgic;

use crate::devices::interrupt_delivery::{Delivery, Distributor};
use crate::machine::Machine;
use crate::vm::device_lines::DeviceLines;
use crate::vm::{Vcpu, Vm};

/// The board's distributor.
struct Physical;

impl Distributor for Physical {
    fn enable(&mut self, intid: u32, enabled: bool) {
        Machine::get().board.interrupts.set_shared(intid, enabled);
    }

    fn route(&mut self, intid: u32, core: usize) {
        let machine = Machine::get();
        if let Some(core) = machine.cores.get(core) {
            machine.board.interrupts.route_shared(intid, core.affinity);
        }
    }
}

/// The vCPU to which the guest sends an interrupt; the first one if it sends it nowhere.
fn target(vgic: &Vgic) -> impl FnMut(u32) -> usize {
    |intid| vgic.target_of(intid).unwrap_or(0)
}

impl Vm {
    fn device_interrupts(&self) -> impl Iterator<Item = &Interrupt> {
        self.devices.iter().flat_map(|device: &Device| &device.interrupts)
    }

    /// Says on which cores the interrupts of its devices can come. To be called once, when all vCPUs have their cores.
    pub fn place_devices(&self) {
        let own = self.vcpus().iter().filter(|vcpu| vcpu.has_core_to_its_vm());
        let own = own.fold(0, |own, vcpu| own | 1u32.checked_shl(vcpu.core as u32).unwrap_or(0));
        let cores = self.vcpus().iter().map(|vcpu| vcpu.core).collect();
        let delivery = Delivery::new(self.device_interrupts().map(|interrupt| interrupt.physical), cores, own);
        self.set_device_lines(DeviceLines::new(delivery));
    }

    /// With every vCPU off: lets the interrupts of the VM's devices come. The virtual GIC passes them on to the vCPU that the
    /// guest wants them at.
    pub fn connect_devices(&self) {
        let Some(lines) = self.device_lines().filter(|_| !self.devices.is_empty()) else { return };
        // A core may have taken one when another had just seen the VM's end.
        self.disconnect_devices();
        self.vgic.reset();
        for interrupt in self.device_interrupts() {
            self.vgic.set_shared_trigger(interrupt.physical, interrupt.edge);
            Machine::get().board.interrupts.set_trigger(interrupt.physical, interrupt.edge);
        }
        lines.delivery.lock().start(target(&self.vgic), &mut Physical);
    }

    /// With every vCPU off: no interrupt of the VM's devices comes any more, and none is left active.
    pub fn disconnect_devices(&self) {
        if let Some(lines) = self.device_lines() {
            lines.delivery.lock().stop();
        }
        self.device_interrupts().for_each(|interrupt| Machine::get().board.interrupts.quiet_shared(interrupt.physical));
    }

    /// The guest may have sent interrupts elsewhere: those of its devices follow.
    pub fn follow_routes(&self) {
        if let Some(lines) = self.device_lines().filter(|_| !self.devices.is_empty()) {
            lines.delivery.lock().follow(target(&self.vgic), &mut Physical);
        }
    }

    /// On core `here`, which has the registers of `loaded`: an interrupt of one of the VM's devices has come, and stays active
    /// until the guest ends it.
    #[cold]
    pub fn device_interrupt(&self, here: usize, loaded: Option<&Vcpu>, intid: u32) {
        // A vCPU on this core looks before it runs.
        let own = loaded.filter(|vcpu| core::ptr::eq(vcpu.vm, self));
        if let (None, Some(lines)) = (own, self.lines_that_follow_turns()) {
            lines.delivery.lock().taken(here, intid, &mut Physical);
        }
        let set = self.vgic.raise_shared(intid);
        self.kicks.send(own.map_or(set, |vcpu| set.without(vcpu.index)));
    }
}

impl DeviceLines {
    /// Core `core` has one of the VM's vCPUs from now on.
    pub fn come_onto(&self, core: usize) {
        self.delivery.lock().enter(core, &mut Physical);
    }

    /// Core `core` has none of the VM's vCPUs any more; `waiting`: those that are on there all wait.
    pub fn leave(&self, core: usize, waiting: bool) {
        self.delivery.lock().leave(core, waiting, &mut Physical);
    }

    /// On core `core`, which has windows, the VM's own time begins or ends.
    pub fn set_time(&self, core: usize, own: bool) {
        self.delivery.lock().set_time(core, own, &mut Physical);
    }
}

impl Vcpu {
    /// Whether no other VM has a vCPU on its core.
    fn has_core_to_its_vm(&self) -> bool {
        let mut here = Machine::get().vms.iter().flat_map(Vm::vcpus).filter(|other| other.core == self.core);
        here.all(|other| core::ptr::eq(other.vm, self.vm))
    }
}
