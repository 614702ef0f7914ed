//! Physical interrupts that arrive while a vCPU is on the core.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, gicv3, vectors::Next};

use crate::lists::HardwareLists;
use crate::machine::Machine;
use crate::processor::{KICK, Processor};
use crate::vm::vcpu::Vcpu;

/// The first INTID that stands for "nothing pending".
const SPECIAL: u32 = 1020;

/// An IRQ came while a guest ran. Every way out is a call in tail position, so that none pays for another's registers.
#[unsafe(no_mangle)]
extern "C" fn portcullis_interrupt(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let intid = gicv3::acknowledge();
    match intid {
        map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID => return timer_and_resume(vcpu, intid),
        // Another core has something for this vCPU; it is looked at on the way back.
        KICK => {
            gicv3::drop_priority(KICK);
            gicv3::deactivate(KICK);
            gicv3::see_what_was_sent();
        }
        SPECIAL.. => {}
        _ => return other_and_resume(vcpu, intid),
    }
    vcpu.before_resume()
}

/// A timer of the guest's. It is linked in hardware: the guest's own end of interrupt deactivates it.
#[inline(never)]
fn timer_and_resume(vcpu: &'static Vcpu, intid: u32) -> Next {
    vcpu.account().exit(Exit::Timer);
    gicv3::drop_priority(intid);
    let others = vcpu.vm.vgic.flush_hardware(vcpu.index, intid, &mut HardwareLists);
    vcpu.vm.kick(others);
    vcpu.before_resume()
}

#[cold]
fn other_and_resume(vcpu: &'static Vcpu, intid: u32) -> Next {
    other(vcpu, intid);
    vcpu.before_resume()
}

/// Takes one physical interrupt, if one is pending, while `vcpu` waits in EL2 on its core. The caller flushes.
pub fn take(vcpu: &'static Vcpu) {
    match gicv3::acknowledge() {
        intid @ (map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) => {
            gicv3::drop_priority(intid);
            vcpu.vm.vgic.raise_hardware(vcpu.index, intid);
        }
        KICK => {
            gicv3::drop_priority(KICK);
            gicv3::deactivate(KICK);
        }
        SPECIAL.. => {}
        intid => other(vcpu, intid),
    }
    gicv3::see_what_was_sent();
}

/// An interrupt of the hypervisor's own.
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
