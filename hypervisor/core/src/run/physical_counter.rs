//! Whose physical counter a core shows: the machine's, or a VM's own, which is that of a VM that can be saved.

use portcullis_arch::timer;

use crate::machine::Machine;
use crate::vm::Vm;

/// Whether the VM has a physical counter of its own.
pub const fn is_own(vm: &Vm) -> bool {
    vm.config.settings.movable
}

/// What the compare value of a vCPU's physical timer on this core, its own, counts behind what its guest has written there, in
/// ticks: nothing where the core's counter is the guest's.
pub fn lag(vm: &Vm) -> u64 {
    if is_own(vm) && !timer::has_physical_offset() { vm.counter_offset() } else { 0 }
}

/// What the physical counter of the VM lags behind the machine's on this core without EL2, in ticks.
pub fn offset(vm: &Vm) -> u64 {
    if is_own(vm) && timer::has_physical_offset() { vm.counter_offset() } else { 0 }
}

/// The core, on which this runs, has a vCPU of the VM `to` in place of one of the VM `from`, by their numbers.
pub fn change(from: Option<usize>, to: Option<usize>) {
    let vm = |index: usize| Machine::get().vms.get(index);
    let has_own = |index: usize| vm(index).is_some_and(is_own);
    if [from, to].into_iter().flatten().any(has_own) {
        timer::show_physical(to.filter(|to| has_own(*to)).and_then(vm).map(Vm::counter_offset));
    }
}
