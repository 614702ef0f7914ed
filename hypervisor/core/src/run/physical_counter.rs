//! Whose physical counter a core shows: the machine's, or a VM's own, which is that of a VM that can be saved.

use portcullis_arch::timer;

use crate::machine::Machine;
use crate::vm::Vm;

/// Whether the VM has a physical counter of its own.
pub const fn is_own(vm: &Vm) -> bool {
    vm.config.settings.movable
}

/// The core, on which this runs, has a vCPU of the VM `to` in place of one of the VM `from`, by their numbers.
pub fn change(from: Option<usize>, to: Option<usize>) {
    let has_own = |index: usize| Machine::get().vms.get(index).is_some_and(is_own);
    if [from, to].into_iter().flatten().any(has_own) {
        timer::trap_physical(to.is_some_and(has_own));
    }
}
