//! Time of day, set by the control VM on a board that does not know it.

use portcullis_abi::manage;
use portcullis_arch::timer;

use super::status::Status;
use super::{Answer, DONE};
use crate::machine::Machine;
use crate::vm::Vcpu;

/// `CLOCK_SET`.
pub fn set(machine: &Machine, caller: &Vcpu, nanoseconds: u64, count: u64) -> Answer {
    if machine.board.wall_clock.is_some() {
        return Err(Status::NotPermitted);
    }
    let count = count.wrapping_add(caller.vm.counter_offset());
    // The PTP call has no sign for times after 2262, and nobody has read a counter in the future.
    if nanoseconds > i64::MAX.cast_unsigned() || count > timer::count() {
        return Err(Status::BadArgument);
    }
    machine.clock.set(nanoseconds, count);
    machine.tell_devices_of_time(caller);
    DONE
}

/// `CLOCK_GET`.
pub fn get(machine: &Machine, caller: &Vcpu) -> Answer {
    let now = timer::count();
    let source = match machine.board.wall_clock {
        Some(_) => manage::CLOCK_BOARD,
        None if machine.clock.is_set() => manage::CLOCK_CALL,
        None => manage::CLOCK_UNKNOWN,
    };
    let time = machine.wall_clock().and_then(|clock| clock.at(now)).unwrap_or(0);
    Ok([time, now.wrapping_sub(caller.vm.counter_offset()), source])
}

/// `SYSTEM_COUNTER`.
pub fn counter(caller: &Vcpu) -> Answer {
    let now = timer::count();
    Ok([now, now.wrapping_sub(caller.vm.counter_offset()), timer::frequency()])
}
