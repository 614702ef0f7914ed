//! Management calls: what the control VM does to the others. One file per group; [`portcullis_abi::manage`] has the numbers
//! and `docs/abi.md` the reference. Only calls of the control VM come here: the gate lets no other through.
//!
//! Every argument is untrusted. All of them are numbers in registers, so no memory of the caller is looked at. A call checks
//! everything before it changes anything, and its work is bounded.

mod audit;
mod clock;
pub mod counters;
mod filter;
mod lifecycle;
mod links;
mod log;
mod machine;
pub mod port;
mod register;
mod show;
mod status;
#[cfg(any(test, feature = "rig"))]
pub(crate) mod tests;
mod trace;
mod transfer;

use portcullis_abi::manage;
use portcullis_gate::Return;

use self::status::Status;
use crate::machine::Machine;
use crate::machine::transfer::Way;
use crate::vm::{Vcpu, Vm, manager_lock::ManagerLock};

/// What a call returns in x1 to x3, or why it did nothing.
type Answer = Result<[u64; 3], Status>;

/// Nothing but success.
const DONE: Answer = Ok([0; 3]);

/// Serves the management call with this function identifier, made by a vCPU of the control VM.
pub fn serve(caller: &'static Vcpu, function: u32, arguments: [u64; 3]) -> Return {
    serve_by(Way::Calls, caller, function, arguments)
}

/// The same for a call that was made in this way, by which go the bytes that it is about.
fn serve_by(way: Way, caller: &'static Vcpu, function: u32, arguments: [u64; 3]) -> Return {
    let machine = Machine::get();
    if function == manage::VERSION {
        return machine::version(machine, arguments);
    }
    match call(machine, way, caller, function, arguments) {
        Ok([x1, x2, x3]) => Return([manage::SUCCESS.cast_unsigned(), x1, x2, x3]),
        Err(status) => Return::code(status.code()),
    }
}

fn call(machine: &'static Machine, way: Way, caller: &'static Vcpu, function: u32, [x1, x2, x3]: [u64; 3]) -> Answer {
    let vm = || vm(machine, x1);
    let starts =
        matches!(function, manage::START | manage::RESUME | manage::RESTART | manage::RECREATE | manage::RESTORE);
    if starts && machine.shutdown.wanted().is_some() {
        // The machine ends: what is stopped stays so.
        return Err(Status::Busy);
    }
    match function {
        manage::MACHINE => machine::describe(machine, caller),
        manage::POWER_OFF => machine::power_off(machine, caller),
        manage::VM_NAME => show::name(vm()?),
        manage::VM_STATE => show::state(vm()?),
        manage::VM_FAILURE => show::failure(vm()?),
        manage::VM_VCPU => show::vcpu(vm()?, x2),
        manage::VM_VCPU_TIMES => show::vcpu_times(vm()?, x2),
        manage::REGISTER_LIST => register::list(machine, vm()?, x2),
        manage::REGISTER_GET => register::get(vm()?, x2),
        manage::REGISTER_SET => register::set(machine, vm()?, x2, x3),
        manage::REGISTER_CLEAR => register::clear(vm()?),
        manage::RULE_SET => register::set_rule(vm()?, x2),
        manage::RULE_GET => register::rule(vm()?),
        manage::FILTER_ADD => filter::add(machine, vm()?, x2, x3),
        manage::FILTER_LIST => filter::list(vm()?, x2),
        manage::START => lifecycle::start(vm()?),
        manage::PAUSE => lifecycle::pause(vm()?, caller),
        manage::RESUME => lifecycle::resume(vm()?, x2),
        manage::STOP => lifecycle::stop(vm()?),
        manage::RESTART => lifecycle::restart(vm()?),
        manage::RECREATE => lifecycle::recreate(vm()?),
        manage::COUNTER => counters::read(vm()?, x2, x3),
        manage::REFUSED => counters::refused(vm()?, x2),
        manage::AUDIT_SET => audit::set(vm()?, x2),
        manage::AUDIT_LIST => audit::list(vm()?, x2),
        manage::AUDIT_REGISTER => audit::register(vm()?, x2),
        manage::AUDIT_RANGES => audit::ranges(vm()?),
        manage::CLOCK_SET => clock::set(machine, caller, x1, x2),
        manage::CLOCK_GET => clock::get(machine, caller),
        manage::SYSTEM_COUNTER => clock::counter(caller),
        manage::LOG => log::read(vm()?, x2),
        manage::LINK => links::link(machine, x1),
        manage::LINK_END => links::end(machine, x1, x2),
        manage::LINK_COUNTER => links::counter(machine, x1, x2, x3),
        manage::SAVE => transfer::save(machine, way, vm()?, caller),
        manage::RESTORE => transfer::restore(machine, way, vm()?, caller),
        manage::TRANSFER => transfer::transfer(machine, caller, x1, x2),
        manage::TRANSFER_END => transfer::end(machine),
        manage::GIVE_AWAY => transfer::give_away(vm()?, caller),
        manage::FORGET => lifecycle::forget(vm()?),
        manage::TRANSFER_STATE => transfer::state(machine),
        manage::TRANSFER_REASON => transfer::reason(machine, x1),
        _ => trace::call(machine, function, [x1, x2]),
    }
}

/// The VM of this number.
fn vm(machine: &Machine, number: u64) -> Result<&'static Vm, Status> {
    item(machine.vms, number).ok_or(Status::UnknownVm)
}

/// The item of a list with this index, of which every bit counts.
fn item<T>(list: &[T], index: u64) -> Option<&T> {
    list.get(usize::try_from(index).ok()?)
}

/// The right to steer a VM, if no other manager has it now.
fn manager_lock(vm: &Vm) -> Result<ManagerLock<'_>, Status> {
    vm.manager_lock().ok_or(Status::Busy)
}
