//! Management calls of the control VM by its port: the same calls with the same statuses as by HVC.

use portcullis_abi::manage;
use portcullis_gate::Return;

use super::{counters, serve_by};
use crate::life::at_port::AtPort;
use crate::links::Managing;
use crate::machine::Machine;
use crate::machine::transfer::Way;

/// How VM `vm`, the control VM, manages the machine by ports of its console.
pub const fn managing(vm: usize) -> Managing {
    Managing { vm, serve: answer, refused, bulk: &AtPort }
}

/// How many calls of the VM with this number were refused.
fn refused(vm: usize) -> Option<u64> {
    Machine::get().vms.get(vm).map(counters::all_refused)
}

/// Answers a request: x0 to x3 as behind the call. All 64 bits of its function count. Without a request, what was sent was no whole
/// number of them.
fn answer(request: Option<[u64; 4]>) -> [u64; 4] {
    let Some([function, arguments @ ..]) = request else { return Return::code(manage::BAD_ARGUMENT).0 };
    // The caller is its VM: which of the vCPUs has written to the port makes no difference to any call.
    let control = Machine::get().vms.iter().find(|vm| vm.control);
    match (control.and_then(|vm| vm.vcpus().first()), u32::try_from(function)) {
        // What that names is in the caller's memory, where the port's own queues are.
        (Some(_), Ok(manage::TRANSFER)) => Return::code(manage::NOT_PERMITTED).0,
        (Some(caller), Ok(function)) => serve_by(Way::Port, caller, function, arguments).0,
        (Some(_), Err(_)) => Return::code(manage::UNKNOWN_CALL).0,
        (None, _) => Return::code(manage::NOT_SUPPORTED).0,
    }
}
