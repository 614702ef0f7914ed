//! Start, pause, resume, stop, restart, recreate. What takes long is left to the VM's own core.

use super::status::Status;
use super::{Answer, DONE, exclusive};
use crate::vm::{Vm, vcpu::Vcpu};

/// `START`.
pub fn start(vm: &Vm) -> Answer {
    exclusive(vm)?.start()?;
    DONE
}

/// `PAUSE`. The caller's own VM is refused: who would resume it?
pub fn pause(vm: &Vm, caller: &Vcpu) -> Answer {
    if vm.index == caller.vm.index {
        return Err(Status::NotPermitted);
    }
    exclusive(vm)?.pause()?;
    DONE
}

/// `RESUME`.
pub fn resume(vm: &Vm) -> Answer {
    exclusive(vm)?.resume()?;
    DONE
}

/// `STOP`.
pub fn stop(vm: &Vm) -> Answer {
    exclusive(vm)?.stop()?;
    DONE
}

/// `RESTART`.
pub fn restart(vm: &Vm) -> Answer {
    exclusive(vm)?.restart()?;
    DONE
}

/// `RECREATE`.
pub fn recreate(vm: &Vm) -> Answer {
    exclusive(vm)?.recreate()?;
    DONE
}
