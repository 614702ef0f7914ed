//! Physical interrupts that arrive while a vCPU is on the core.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, gicv3, vectors::Next};

use crate::lists::HardwareLists;
use crate::machine::Machine;
use crate::processor::{KICK, Processor};
use crate::vm::vcpu::Vcpu;

/// The first INTID that stands for "nothing pending".
const SPECIAL: u32 = 1020;

/// An IRQ came while a guest ran.
#[unsafe(no_mangle)]
extern "C" fn portcullis_interrupt(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    take(vcpu);
    vcpu.before_resume()
}

/// Takes one physical interrupt, if one is pending, on the core of `vcpu`.
#[inline(always)]
pub fn take(vcpu: &'static Vcpu) {
    let intid = gicv3::acknowledge();
    match intid {
        // Another core has something for this vCPU; it is looked at on the way back.
        KICK => {
            gicv3::drop_priority(KICK);
            gicv3::deactivate(KICK);
        }
        map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID => timer(vcpu, intid),
        SPECIAL.. => {}
        _ => other(vcpu, intid),
    }
}

/// A timer of the guest's. It is linked in hardware: the guest's own end of interrupt deactivates it.
#[inline(never)]
fn timer(vcpu: &'static Vcpu, intid: u32) {
    vcpu.account().exit(Exit::Timer);
    gicv3::drop_priority(intid);
    let others = vcpu.vm.vgic.flush_hardware(vcpu.index, intid, &mut HardwareLists);
    vcpu.vm.kick(others);
}

/// An interrupt of the hypervisor's own.
#[cold]
fn other(vcpu: &'static Vcpu, intid: u32) {
    vcpu.account().exit(Exit::Interrupt);
    gicv3::drop_priority(intid);
    let machine = Machine::get();
    if intid == machine.board.interrupts.maintenance_interrupt() {
        vcpu.vm.vgic.maintain(vcpu.index);
    } else if let Some(processor) = Processor::current() {
        machine.interrupt(processor, intid);
    }
    gicv3::deactivate(intid);
}
