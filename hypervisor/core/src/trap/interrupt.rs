//! Physical interrupts that arrive while a vCPU is on the core.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, timer, vectors::Next};
use portcullis_board::signal::{EL2_TIMER_INTID, KICK};

use crate::cpu::gic::Interface;
use crate::cpu::physical_core::Processor;
use crate::machine::Machine;
use crate::vm::vcpu::Vcpu;
use crate::with_interface;

/// The first INTID that stands for "nothing pending".
const SPECIAL: u32 = 1020;

/// An IRQ came while a guest ran. Every way out is a call in tail position, so that none pays for another's registers.
pub extern "C" fn while_running<G: Interface>(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let acknowledged = G::acknowledge();
    match G::intid(acknowledged) {
        intid @ (map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) => return timer_and_resume::<G>(vcpu, intid),
        // Another core has something for this vCPU; it is looked at on the way back.
        KICK => {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
            G::see_what_was_sent();
        }
        SPECIAL.. => {}
        _ => return other_and_resume::<G>(vcpu, acknowledged),
    }
    vcpu.before_resume::<G>()
}

/// The same on a core that vCPUs share: whatever came may have made it another one's turn.
pub extern "C" fn while_sharing<G: Interface>(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let acknowledged = G::acknowledge();
    let intid = G::intid(acknowledged);
    if matches!(intid, map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) {
        return timer_and_resume::<G>(vcpu, intid);
    }
    let Some(processor) = Processor::current() else { return Next::Resume };
    let Some(share) = processor.share() else { return Next::Resume };
    match intid {
        KICK => {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
            G::see_what_was_sent();
        }
        EL2_TIMER_INTID => {
            vcpu.account().exit(Exit::Interrupt);
            G::drop_priority(acknowledged);
            if !processor.take_end_of_turn(timer::count_relaxed()) {
                Machine::get().tick(processor);
            }
            G::finish(acknowledged);
        }
        SPECIAL.. => {}
        _ => other::<G>(vcpu, acknowledged),
    }
    if share.goes_on(processor) { vcpu.before_resume::<G>() } else { Next::Leave }
}

/// A timer of the guest's. It is linked in hardware: the guest's own end of interrupt deactivates it.
#[inline(never)]
fn timer_and_resume<G: Interface>(vcpu: &'static Vcpu, intid: u32) -> Next {
    vcpu.account().exit(Exit::Timer);
    G::drop_priority(intid);
    let others = vcpu.vm.vgic.flush_hardware(vcpu.index, intid, &mut G::here());
    vcpu.vm.kick_by::<G>(others);
    vcpu.before_resume_again::<G>()
}

#[cold]
fn other_and_resume<G: Interface>(vcpu: &'static Vcpu, acknowledged: u32) -> Next {
    other::<G>(vcpu, acknowledged);
    vcpu.before_resume::<G>()
}

/// Takes one physical interrupt, if one is pending, while `vcpu` waits in EL2 on its core. The caller flushes. False: there was
/// none.
pub fn take(vcpu: &'static Vcpu) -> bool {
    with_interface!(G => take_one::<G>(vcpu))
}

fn take_one<G: Interface>(vcpu: &'static Vcpu) -> bool {
    let acknowledged = G::acknowledge();
    match G::intid(acknowledged) {
        intid @ (map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) => {
            G::drop_priority(acknowledged);
            vcpu.vm.vgic.raise_hardware(vcpu.index, intid);
        }
        KICK => {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
        }
        SPECIAL.. => return false,
        intid if intid == Machine::get().board.interrupts.maintenance_interrupt() => {
            G::drop_priority(acknowledged);
            settle(vcpu);
            G::finish(acknowledged);
        }
        _ => other::<G>(vcpu, acknowledged),
    }
    G::see_what_was_sent();
    true
}

/// A list register of `vcpu` asks to be looked at, and no guest runs that would be on its way back: it would ask for ever.
#[cold]
fn settle(vcpu: &'static Vcpu) {
    vcpu.flush_interrupts_and_see();
    if vcpu.has_interrupt() {
        // Whoever asks what the vCPU waits for has to see it, too.
        vcpu.vm.vgic.attend(vcpu.index);
    }
}

/// An interrupt of the hypervisor's own, or of a device that a VM drives.
fn other<G: Interface>(vcpu: &'static Vcpu, acknowledged: u32) {
    vcpu.account().exit(Exit::Interrupt);
    G::drop_priority(acknowledged);
    let (machine, intid) = (Machine::get(), G::intid(acknowledged));
    if intid == machine.board.interrupts.maintenance_interrupt() {
        vcpu.vm.vgic.attend(vcpu.index);
    } else if Processor::current().is_some_and(|processor| !machine.interrupt(processor, intid)) {
        // It stays active until the guest whose device it is has ended it.
        return;
    }
    G::finish(acknowledged);
}
