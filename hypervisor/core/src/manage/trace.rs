//! What cores note of VMs, switched on and off and read.

use portcullis_abi::manage;
use portcullis_arch::timer;
use portcullis_trace::Read;

use super::status::Status;
use super::{Answer, DONE};
use crate::cpu::physical_core::{Core, Readiness};
use crate::machine::Machine;
use crate::trace::{Standing, SwitchError};

/// Those of the calls that are about this. They stand apart, so that to find another one takes nothing more.
#[cold]
#[inline(never)]
pub fn call(machine: &Machine, function: u32, [x1, x2]: [u64; 2]) -> Answer {
    match function {
        manage::TRACE_SET => set(machine, x1, x2),
        manage::TRACE_STATE => state(machine),
        manage::TRACE_READ => read(machine, x1, x2),
        _ => Err(Status::UnknownCall),
    }
}

/// `TRACE_SET`.
fn set(machine: &Machine, on: u64, vms: u64) -> Answer {
    let all = (1_u64 << machine.vms.len().min(32)).wrapping_sub(1);
    let online = || machine.cores.iter().filter(|core| core.readiness() == Readiness::Online);
    let cores = online().fold(0, |cores, core| cores | 1_u32.checked_shl(core.index as u32).unwrap_or(0));
    let tell = |on: bool| {
        if on {
            // What was copied before is not the trace's.
            machine.links.all().for_each(|link| _ = link.take_copied());
        }
        let traced = machine.vms.iter().filter(|vm| vms.checked_shr(vm.index as u32).unwrap_or(0) & 1 != 0 || !on);
        traced.for_each(|vm| vm.audit.trace(on));
    };
    match on {
        1 if vms != 0 && vms & !all == 0 => {
            machine.trace.switch_on(vms as u32, timer::count(), machine.cores.len(), cores, || tell(true))?;
        }
        0 if vms == 0 => machine.trace.switch_off(cores, || tell(false))?,
        _ => return Err(Status::BadArgument),
    }
    online().for_each(|core| Core::call_to_trace(core));
    DONE
}

/// `TRACE_STATE`.
fn state(machine: &Machine) -> Answer {
    let Standing { on, vms, behind, since } = machine.trace.standing();
    let cores = (machine.cores.len() as u64 & 0xff) << 8;
    Ok([if on { manage::TRACE_ON } else { 0 } | cores | u64::from(behind) << 32, vms.into(), since])
}

/// `TRACE_READ`.
fn read(machine: &Machine, core: u64, position: u64) -> Answer {
    let core = usize::try_from(core).map_err(|_| Status::NoItem)?;
    match machine.trace.read(core, position) {
        Read::Record(record) => Ok(record),
        Read::Lost(oldest) => Ok([0, manage::TRACE_LOST, oldest.saturating_sub(position)]),
        Read::None => Err(Status::NoItem),
    }
}

impl From<SwitchError> for Status {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::Already => Self::BadState,
            SwitchError::Busy => Self::Busy,
            SwitchError::NoMemory => Self::NoMemory,
        }
    }
}
