//! The range filter. The rules are the gate's.

use portcullis_gate::RangeRequest;

use super::status::Status;
use super::{Answer, DONE, item, manager_lock};
use crate::machine::Machine;
use crate::vm::Vm;

/// `FILTER_ADD`.
pub fn add(machine: &Machine, vm: &Vm, range: u64, action: u64) -> Answer {
    let [action, reserved @ ..] = action.to_le_bytes();
    let mut request = RangeRequest { base: range as u32, count: (range >> 32) as u32, action, reserved: [0; 15] };
    for (to, from) in request.reserved.iter_mut().zip(reserved) {
        *to = from;
    }
    manager_lock(vm)?.add_range(&request, machine.board.firmware.is_some())?;
    DONE
}

/// `FILTER_LIST`.
pub fn list(vm: &Vm, index: u64) -> Answer {
    let lock = manager_lock(vm)?;
    let range = item(lock.filter().ranges(), index).ok_or(Status::NoItem)?;
    let count = u64::from(range.last.saturating_sub(range.first)).saturating_add(1);
    Ok([u64::from(range.first) | count << 32, range.action as u64, 0])
}
