//! What a VM is and does.

use portcullis_abi::{bundle::NAME_MAX, manage, name::padded};
use portcullis_arch::timer;
use portcullis_board::time::nanoseconds;

use super::status::Status;
use super::{Answer, item};
use crate::vm::Vm;
use crate::vm::activity::{Activity, Times};
use crate::vm::power::PowerState;
use crate::vm::state::Action;

const _: () = assert!(
    Activity::Off as u64 == manage::VCPU_OFF
        && Activity::Running as u64 == manage::VCPU_RUNNING
        && Activity::Ready as u64 == manage::VCPU_READY
        && Activity::Waiting as u64 == manage::VCPU_WAITING
        && Activity::Paused as u64 == manage::VCPU_PAUSED
);

/// `VM_NAME`.
pub fn name(vm: &Vm) -> Answer {
    let [low, high] = name_words(vm.name());
    Ok([low, high, 0])
}

/// A name in two words, the first byte in bits 7:0 of the first one, padded with zeros.
pub fn name_words(name: &str) -> [u64; 2] {
    const _: () = assert!(NAME_MAX == size_of::<u128>());
    let name = u128::from_le_bytes(padded(name));
    [name as u64, (name >> 64) as u64]
}

/// `VM_STATE`.
pub fn state(vm: &Vm) -> Answer {
    // Who asks, waits.
    let _ = vm.name_deaf_cores(timer::count());
    let state = vm.state();
    let progress = match state.action {
        Action::None if vm.is_loading() => manage::PROGRESS_LOADING,
        Action::None => manage::PROGRESS_NONE,
        Action::Pause => manage::PROGRESS_PAUSING,
        Action::Off | Action::Fail => manage::PROGRESS_STOPPING,
        Action::Reset => manage::PROGRESS_RESTARTING,
        Action::Scrub => manage::PROGRESS_SCRUBBING,
        Action::Save => manage::PROGRESS_SAVING,
        Action::Restore => manage::PROGRESS_RESTORING,
        Action::Receive => manage::PROGRESS_RECEIVING,
    };
    let flag = |set: bool, bit: u64| if set { bit } else { 0 };
    let flags = flag(vm.control, manage::STATE_CONTROL)
        | flag(vm.row.profile().is_frozen(), manage::STATE_FROZEN)
        | flag(vm.audit.is_wanted(), manage::STATE_AUDIT)
        | flag(vm.life.restart_policy().restarts(), manage::STATE_RESTARTS);
    let vcpus = vm.vcpus().len() as u64 & 0xff | u64::from(vm.live() & 0xff) << 8;
    let restarts = u64::from(vm.life.restart_policy().total()) << 32;
    Ok([vm.shown_phase() | progress << 8 | flags, vcpus | restarts, vm.memory.size()])
}

/// `VM_FAILURE`.
pub fn failure(vm: &Vm) -> Answer {
    let Some(failure) = vm.failure() else { return Ok([manage::FAILURE_NONE, 0, 0]) };
    Ok([failure.word(), failure.pc, failure.address])
}

/// `VM_VCPU`.
pub fn vcpu(vm: &Vm, index: u64) -> Answer {
    let vcpu = item(vm.vcpus(), index).ok_or(Status::NoItem)?;
    Ok([vcpu.core as u64, u64::from(vcpu.power() != PowerState::Off), vcpu.activity() as u64])
}

/// `VM_VCPU_TIMES`.
pub fn vcpu_times(vm: &Vm, index: u64) -> Answer {
    let Times { ran, stolen, switches } = item(vm.vcpus(), index).ok_or(Status::NoItem)?.times();
    let frequency = timer::frequency();
    Ok([nanoseconds(ran, frequency), nanoseconds(stolen, frequency), switches])
}
