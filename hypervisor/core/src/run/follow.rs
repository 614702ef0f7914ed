//! A core follows how a trace is switched: from its next trap on, what serves the vCPUs that it runs notes what comes of it, or no
//! longer does.

use portcullis_board::Firmware;

use super::worker::Worker;
use crate::cpu::physical_core::Core;
use crate::machine::Machine;

/// Has `core`, this one, follow.
#[cold]
#[inline(never)]
pub fn follow(core: &Core) {
    let machine = Machine::get();
    let wide = machine.board.firmware.is_some_and(Firmware::is_wide);
    let handlers = &machine.handlers;
    Worker::current().into_iter().for_each(|worker| {
        worker.for_each_vcpu(|vcpu| {
            let handlers = match (machine.trace.follows(vcpu.vm.index), vcpu.off_core().is_some()) {
                (false, false) => handlers.alone,
                (false, true) => handlers.sharing,
                (true, false) => handlers.traced_alone,
                (true, true) => handlers.traced_sharing,
            };
            vcpu.context.serve_by(handlers);
            vcpu.vm.renew_fast_tables(&vcpu.context, wide);
        });
    });
    machine.trace.has_followed(core.index);
}
