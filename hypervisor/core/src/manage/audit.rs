//! Audit mode: everything allowed, each first use noted.

use super::register::find;
use super::status::Status;
use super::{Answer, DONE, manager_lock};
use crate::vm::Vm;

/// `AUDIT_SET`.
pub fn set(vm: &Vm, wanted: u64) -> Answer {
    let wanted = match wanted {
        0 => false,
        1 => true,
        _ => return Err(Status::BadArgument),
    };
    // Under the lock the VM cannot start in between.
    let lock = manager_lock(vm)?;
    if lock.vm.row.profile().is_frozen() && vm.audit.is_wanted() != wanted {
        return Err(Status::Frozen);
    }
    vm.audit.want(wanted);
    DONE
}

/// `AUDIT_LIST`.
pub fn list(vm: &Vm, index: u64) -> Answer {
    let note = usize::try_from(index).ok().and_then(|index| vm.audit.get(index)).ok_or(Status::NoItem)?;
    Ok([note.call, note.time, vm.audit.missed()])
}

/// `AUDIT_RANGES`.
pub fn ranges(vm: &Vm) -> Answer {
    Ok([vm.audit.ranges(), 0, 0])
}

/// `AUDIT_REGISTER`.
pub fn register(vm: &Vm, id: u64) -> Answer {
    Ok([vm.audit.smallest(find(id)?), 0, 0])
}
