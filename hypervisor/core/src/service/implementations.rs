//! Which CPUs a VM may find itself on: the calls of Linux KVM (`Documentation/virt/kvm/arm/hypercalls.rst`), by which a guest
//! chooses what it works around.

use portcullis_abi::{function, result};
use portcullis_gate::Return;

use crate::vm::Vm;

/// The version and the number of implementations.
pub fn version(vm: &Vm) -> Return {
    let Some(known) = vm.implementations() else { return Return::NOT_SUPPORTED };
    Return([0, function::IMPL_VERSION_1_0.into(), known.as_slice().len() as u64, 0])
}

/// Implementation `index`: MIDR_EL1, REVIDR_EL1, AIDR_EL1. What is beyond the index must be zero.
pub fn cpu(vm: &Vm, [index, zeros @ ..]: [u64; 3]) -> Return {
    let Some(known) = vm.implementations() else { return Return::NOT_SUPPORTED };
    let one = usize::try_from(index).ok().and_then(|index| known.as_slice().get(index)).filter(|_| zeros == [0; 2]);
    match one {
        Some(one) => Return([0, one.midr, one.revidr, one.aidr]),
        None => Return::code(result::SMCCC_INVALID_PARAMETER),
    }
}
