//! A guest did what cannot be gone on from: its VM is stopped, and a line says why.

use portcullis_arch::{el2, vectors::Next};

use crate::vm::{lifecycle::Action, vcpu::Vcpu};

/// Stops the VM of `vcpu` as failed. The others go on.
#[cold]
pub fn stop(vcpu: &'static Vcpu, reason: &str, syndrome: u64) -> Next {
    log::error!(
        "{} vcpu {}: stopped: {reason}: pc {:#x} syndrome {syndrome:#010x} address {:#x} (ipa {:#x})",
        vcpu.vm.name(),
        vcpu.index,
        el2::return_address(),
        el2::fault_address(),
        el2::fault_ipa(),
    );
    vcpu.vm.stop(Action::Fail);
    vcpu.retire()
}
