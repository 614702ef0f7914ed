//! A guest did what cannot be gone on from: its VM is stopped, and a line says why.

use portcullis_arch::{el2, vectors::Next};
use portcullis_devices::access::is_translation_fault;

use crate::vm::{
    failure::{Failure, Reason},
    report::Occasion,
    vcpu::Vcpu,
};

/// Stops the VM of `vcpu` as failed. The others go on.
#[cold]
pub fn stop(vcpu: &'static Vcpu, reason: Reason, syndrome: u64) -> Next {
    let address = match reason {
        Reason::Fetch | Reason::Access | Reason::Instruction if is_translation_fault(syndrome) => el2::fault_ipa(),
        _ => 0,
    };
    let (vm, pc) = (vcpu.vm, el2::return_address());
    vm.report(
        if vm.restarts.has_left() { Occasion::Repeatable } else { Occasion::End },
        format_args!(
            "{} vcpu {}: stopped: {reason}: pc {pc:#x} syndrome {syndrome:#010x} address {:#x} (ipa {address:#x})",
            vm.name(),
            vcpu.index,
            el2::fault_address(),
        ),
    );
    vm.fail(Failure { reason, vcpu: vcpu.index, syndrome: syndrome as u32, pc, address });
    vcpu.retire()
}
