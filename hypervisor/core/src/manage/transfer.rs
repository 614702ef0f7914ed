//! Saving and restoring a VM. The stream goes through a buffer in the caller's RAM, a piece a call, or by the port of data.

use portcullis_abi::manage;
use portcullis_stream::Progress;

use super::log::{MOST, text};
use super::status::Status;
use super::{Answer, DONE, manager_lock};
use crate::life::transfer::TransferError;
use crate::machine::Machine;
use crate::machine::transfer::{Stand, Way};
use crate::vm::{Vcpu, Vm};

/// Checks that the caller may read, or write, all that the VM is: the manifest says so, and it is not the caller's own.
fn permitted(vm: &Vm, caller: &Vcpu) -> Result<(), Status> {
    let may = vm.config.settings.movable && vm.index != caller.vm.index;
    if may { Ok(()) } else { Err(Status::NotPermitted) }
}

/// Begins a transfer by `act`, whose bytes go in this way.
fn begin(machine: &Machine, way: Way, act: impl FnOnce() -> Result<(), TransferError>) -> Answer {
    match way {
        Way::Calls => act()?,
        Way::Port => machine.links.data().and_then(|data| data.begin(act)).ok_or(Status::Closed)??,
    }
    DONE
}

/// `SAVE`.
pub fn save(machine: &Machine, way: Way, vm: &'static Vm, caller: &Vcpu) -> Answer {
    permitted(vm, caller)?;
    begin(machine, way, || machine.begin_save(vm, way))
}

/// `RESTORE`.
pub fn restore(machine: &Machine, way: Way, vm: &'static Vm, caller: &Vcpu) -> Answer {
    permitted(vm, caller)?;
    begin(machine, way, || machine.begin_restore(vm, way))
}

/// `GIVE_AWAY`.
pub fn give_away(vm: &Vm, caller: &Vcpu) -> Answer {
    permitted(vm, caller)?;
    manager_lock(vm)?.give_away()?;
    DONE
}

/// `TRANSFER`.
pub fn transfer(machine: &Machine, caller: &Vcpu, address: u64, length: u64) -> Answer {
    let (bytes, progress) = machine.transfer(caller, address, length)?;
    let progress = match progress {
        Progress::Buffer => manage::TRANSFER_BUFFER,
        Progress::More => manage::TRANSFER_MORE,
        Progress::Done => manage::TRANSFER_DONE,
    };
    Ok([bytes, progress, 0])
}

/// `TRANSFER_END`.
pub fn end(machine: &Machine) -> Answer {
    machine.end_transfer()?;
    DONE
}

/// `TRANSFER_STATE`.
pub fn state(machine: &Machine) -> Answer {
    let Some(transfer) = machine.transfers.wait() else { return DONE };
    let Stand { what, vm, way, goes_on, bytes, status } = transfer.stand();
    let bit = |is: bool, bit: u64| if is { bit } else { 0 };
    let flags = bit(goes_on, manage::TRANSFER_GOES_ON) | bit(way == Way::Port, manage::TRANSFER_BY_PORT);
    Ok([what | (vm as u64 & 0xff) << 8 | flags, bytes, status.cast_unsigned()])
}

/// `TRANSFER_REASON`.
pub fn reason(machine: &Machine, position: u64) -> Answer {
    let transfer = machine.transfers.wait().ok_or(Status::NoItem)?;
    let rest = usize::try_from(position).ok().and_then(|start| transfer.why.text().get(start..));
    let rest = rest.filter(|rest| !rest.is_empty()).ok_or(Status::NoItem)?;
    let mut bytes = [0; MOST];
    let count = rest.iter().zip(&mut bytes).map(|(byte, place)| *place = *byte).count();
    Ok(text(position.saturating_add(count as u64), count, bytes))
}

impl From<TransferError> for Status {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Busy => Self::Busy,
            TransferError::BadState => Self::BadState,
            TransferError::Buffer => Self::BadArgument,
            TransferError::Refused => Self::Unfit,
        }
    }
}
