//! Start, pause, resume, stop, restart, recreate, forget. What takes long is left to the VM's own core.

use portcullis_abi::manage;

use super::status::Status;
use super::{Answer, DONE, manager_lock};
use crate::vm::{Vcpu, Vm};

/// `START`.
pub fn start(vm: &Vm) -> Answer {
    manager_lock(vm)?.start()?;
    DONE
}

/// `PAUSE`. The caller's own VM is refused: who would resume it?
pub fn pause(vm: &Vm, caller: &Vcpu) -> Answer {
    if vm.index == caller.vm.index {
        return Err(Status::NotPermitted);
    }
    manager_lock(vm)?.pause()?;
    DONE
}

/// `RESUME`.
pub fn resume(vm: &Vm, flags: u64) -> Answer {
    if flags & !manage::RESUME_GIVEN_AWAY != 0 {
        return Err(Status::BadArgument);
    }
    let lock = manager_lock(vm)?;
    if flags & manage::RESUME_GIVEN_AWAY != 0 { lock.take_back() } else { lock.resume() }?;
    DONE
}

/// `FORGET`.
pub fn forget(vm: &Vm) -> Answer {
    manager_lock(vm)?.forget()?;
    DONE
}

/// `STOP`.
pub fn stop(vm: &Vm) -> Answer {
    manager_lock(vm)?.stop()?;
    DONE
}

/// `RESTART`.
pub fn restart(vm: &Vm) -> Answer {
    manager_lock(vm)?.restart()?;
    DONE
}

/// `RECREATE`.
pub fn recreate(vm: &Vm) -> Answer {
    manager_lock(vm)?.recreate()?;
    DONE
}
