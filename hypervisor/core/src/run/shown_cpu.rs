//! Which CPU a core shows: its own, or the one that a VM's manifest says.

use portcullis_arch::el2::{self, Disguise};

use crate::machine::Machine;
use crate::vm::Vm;

/// What a core shows while it has a vCPU of this VM, if that is not the core's own.
fn disguise(vm: &Vm) -> Option<Disguise> {
    let [main_id, ..] = vm.cpu.as_ref()?.identity();
    Some(Disguise { main_id, has_keys: vm.features.get().has_keys() })
}

/// Whether a core has to know when it is the VM's turn.
pub const fn is_watched(vm: &Vm) -> bool {
    vm.cpu.is_some()
}

/// The core, on which this runs, has a vCPU of the VM `to` in place of one of the VM `from`, by their numbers.
pub fn change(from: Option<usize>, to: Option<usize>) {
    let vm = |index: usize| Machine::get().vms.get(index).filter(|vm| is_watched(vm));
    let (from, to) = (from.and_then(vm), to.and_then(vm));
    if from.is_some() || to.is_some() {
        el2::show(to.and_then(disguise));
    }
}
