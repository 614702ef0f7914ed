//! Physical interrupts that arrive while a guest runs.

use portcullis_abi::map;
use portcullis_arch::{account::Exit, context::Context, timer, vectors::Next};
use portcullis_board::signal::{EL2_TIMER_INTID, KICK};

use crate::cpu::gic::{Interface, SPECIAL};
use crate::run::interrupts;
use crate::run::worker::Worker;
use crate::vm::Vcpu;

/// An IRQ came while a guest ran. Every way out is a call in tail position, so that none pays for another's registers.
///
/// # Safety
///
/// For the vectors only.
#[inline(never)]
pub unsafe extern "C" fn while_running<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    let vcpu = unsafe { Vcpu::of(context) };
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
///
/// # Safety
///
/// For the vectors only.
#[inline(never)]
pub unsafe extern "C" fn while_sharing<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    let vcpu = unsafe { Vcpu::of(context) };
    let acknowledged = G::acknowledge();
    let intid = G::intid(acknowledged);
    if matches!(intid, map::TIMER_VIRTUAL_INTID | map::TIMER_PHYSICAL_INTID) {
        return timer_and_resume::<G>(vcpu, intid);
    }
    let Some(worker) = Worker::current() else { return Next::Resume };
    let Some(shared) = worker.shared_core() else { return Next::Resume };
    match intid {
        KICK => {
            G::drop_priority(acknowledged);
            G::finish(acknowledged);
            G::see_what_was_sent();
        }
        EL2_TIMER_INTID => {
            vcpu.account().exit(Exit::Interrupt);
            G::drop_priority(acknowledged);
            if !worker.core.take_end_of_turn(timer::count_relaxed()) {
                interrupts::tick(&worker.core, Some(vcpu));
            }
            G::finish(acknowledged);
        }
        SPECIAL.. => {}
        _ => interrupts::other::<G>(vcpu, acknowledged),
    }
    if shared.goes_on(&worker.core) { vcpu.before_resume::<G>() } else { Next::Leave }
}

/// A timer of the guest's. It is linked in hardware: the guest's own end of interrupt deactivates it.
#[inline(never)]
fn timer_and_resume<G: Interface>(vcpu: &'static Vcpu, intid: u32) -> Next {
    vcpu.account().exit(Exit::Timer);
    G::drop_priority(intid);
    let others = vcpu.vm.vgic.flush_hardware(vcpu.index, intid, &mut G::here());
    vcpu.vm.kicks.send_by::<G>(others);
    vcpu.before_resume_again::<G>()
}

#[cold]
fn other_and_resume<G: Interface>(vcpu: &'static Vcpu, acknowledged: u32) -> Next {
    interrupts::other::<G>(vcpu, acknowledged);
    vcpu.before_resume::<G>()
}
