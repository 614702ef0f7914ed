//! Physical interrupts that arrive while a guest runs.

use portcullis_abi::map;
use portcullis_arch::{context::Context, gicv3, vectors::Next};

use crate::lists::HardwareLists;
use crate::machine::Machine;
use crate::processor::Processor;
use crate::vm::vcpu::Vcpu;

/// The first INTID that stands for "nothing pending".
const SPECIAL: u32 = 1020;

/// An IRQ came while a guest ran.
#[unsafe(no_mangle)]
extern "C" fn portcullis_interrupt(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let intid = gicv3::acknowledge();
    match intid {
        // The guest's timers are linked in hardware: its own end of interrupt deactivates them.
        map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID => {
            gicv3::drop_priority(intid);
            let others = vcpu.vm.vgic.flush_hardware(vcpu.index, intid, &mut HardwareLists);
            vcpu.vm.kick(others);
        }
        SPECIAL.. => {}
        _ => {
            gicv3::drop_priority(intid);
            other(vcpu, intid);
            gicv3::deactivate(intid);
        }
    }
    vcpu.before_resume()
}

#[cold]
fn other(vcpu: &'static Vcpu, intid: u32) {
    let machine = Machine::get();
    if intid == machine.board.interrupts.maintenance_interrupt() {
        vcpu.vm.vgic.maintain(vcpu.index);
    } else if let Some(processor) = Processor::current() {
        machine.interrupt(processor, intid);
    }
}
