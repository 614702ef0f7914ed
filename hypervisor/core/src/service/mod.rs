//! The services behind the gate: one file each. A service is only reached by a call that the gate has let through.

pub mod forward;
pub mod implementations;
pub mod psci;
pub mod ptp;
pub mod soc_id;
pub mod trng;
pub mod watchdog;

use portcullis_arch::vectors::Next;
use portcullis_gate::{Return, Service};

use crate::machine::Machine;
use crate::manage;
use crate::vm::{Vcpu, pv_time::PvTime};

/// What a service did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call returns this.
    Return(Return),
    /// The call does not return, or not yet.
    Leave(Next),
}

/// Serves a call that the gate has let through; `arguments` are x1 to x3 as wide as the function has them.
#[inline(always)]
pub fn serve(vcpu: &'static Vcpu, service: Service, arguments: [u64; 3]) -> Outcome {
    let machine = Machine::get();
    match service {
        Service::Psci(function, _) => match psci::serve(vcpu, function, arguments) {
            Ok(code) => Outcome::Return(Return::code(code)),
            Err(next) => Outcome::Leave(next),
        },
        Service::Trng(function) => Outcome::Return(trng::serve(machine, vcpu.vm, function, arguments[0])),
        Service::PvTimeSt => {
            vcpu.want_stolen();
            Outcome::Return(Return::value(PvTime::address(vcpu.index)))
        }
        Service::Ptp => {
            let (clock, offset) = (machine.wall_clock(), vcpu.vm.counter_offset());
            Outcome::Return(ptp::serve(clock, arguments[0], offset, || vcpu.vm.physical_lag()))
        }
        Service::Watchdog => Outcome::Return(watchdog::serve(vcpu.vm, arguments)),
        Service::Management(function) => Outcome::Return(manage::serve(vcpu, function, arguments)),
        Service::SocId => Outcome::Return(soc_id::serve(vcpu.vm.config.soc.or(machine.board.soc), arguments[0])),
        Service::ImplVersion => Outcome::Return(implementations::version(vcpu.vm)),
        Service::ImplCpus => Outcome::Return(implementations::cpu(vcpu.vm, arguments)),
    }
}
