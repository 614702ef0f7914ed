//! Saving and restoring a VM. The stream goes through a buffer in the caller's RAM, a piece a call.

use portcullis_abi::manage;
use portcullis_stream::Progress;

use super::status::Status;
use super::{Answer, DONE, manager_lock};
use crate::life::transfer::TransferError;
use crate::machine::Machine;
use crate::vm::{Vcpu, Vm};

/// Checks that the caller may read, or write, all that the VM is: the manifest says so, and it is not the caller's own.
fn permitted(vm: &Vm, caller: &Vcpu) -> Result<(), Status> {
    let may = vm.config.settings.movable && vm.index != caller.vm.index;
    if may { Ok(()) } else { Err(Status::NotPermitted) }
}

/// `SAVE`.
pub fn save(machine: &Machine, vm: &'static Vm, caller: &Vcpu) -> Answer {
    permitted(vm, caller)?;
    machine.begin_save(vm)?;
    DONE
}

/// `RESTORE`.
pub fn restore(machine: &Machine, vm: &'static Vm, caller: &Vcpu) -> Answer {
    permitted(vm, caller)?;
    machine.begin_restore(vm)?;
    DONE
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
