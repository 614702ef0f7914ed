//! PSCI 1.3 (Arm DEN0022), acting on the caller's own VM only; SYSTEM_OFF and SYSTEM_RESET of a VM that the manifest lets
//! end the machine act on that.

use portcullis_abi::{function, result};
use portcullis_arch::{cpu::MPIDR_AFFINITY, timer, vectors::Next};
use portcullis_gate::{PsciFunction, Register};

use crate::machine::Machine;
use crate::machine::end::End;
use crate::vm::Vcpu;
use crate::vm::Vm;
use crate::vm::power::PowerState;
use crate::vm::report::Occasion;
use crate::vm::state::Action;

/// Highest affinity level.
const MAX_LEVEL: u64 = 3;
/// SYSTEM_RESET2: first of the vendor-specific reset types, which we treat as the architectural warm reset (type 0).
const VENDOR_RESET: u32 = 0x8000_0000;

/// Serves `function` for `vcpu`: what the call returns in x0, or what happens instead of its return. A vCPU that comes back
/// even so, because it only waited, has succeeded.
#[inline(always)]
pub fn serve(vcpu: &'static Vcpu, function: PsciFunction, [x1, x2, x3]: [u64; 3]) -> Result<i64, Next> {
    Ok(match function {
        PsciFunction::CpuOn => cpu_on(vcpu, x1, x2, x3),
        PsciFunction::AffinityInfo => affinity_info(vcpu, x1, x2),
        PsciFunction::CpuSuspend => return cpu_suspend(vcpu),
        PsciFunction::CpuOff => return Err(vcpu.retire()),
        PsciFunction::SystemOff => return end(vcpu, Action::Off, End::Off),
        PsciFunction::SystemReset => return end(vcpu, Action::Reset, End::Reset),
        PsciFunction::SystemReset2 if x1 as u32 == 0 || x1 as u32 >= VENDOR_RESET => {
            return end(vcpu, Action::Reset, End::Reset);
        }
        PsciFunction::SystemOff2 if x1 <= result::PSCI_HIBERNATE_OFF.into() && x2 == 0 => {
            return hibernate(vcpu);
        }
        PsciFunction::SystemSuspend => return system_suspend(vcpu, x1, x2),
        PsciFunction::SystemReset2 | PsciFunction::SystemOff2 => result::PSCI_INVALID_PARAMETERS,
    })
}

/// The guest ends its VM, or the machine if it may.
#[cold]
fn end(vcpu: &'static Vcpu, action: Action, end: End) -> Result<i64, Next> {
    end_life(vcpu.vm, action, end);
    Err(vcpu.retire())
}

/// The guest, whose memory is on its disk now, ends its VM (section 5.11: types 0 and 1 are one), or the machine if it may.
#[cold]
fn hibernate(vcpu: &'static Vcpu) -> Result<i64, Next> {
    vcpu.vm.report(Occasion::End, format_args!("{}: hibernates", vcpu.vm.name()));
    end(vcpu, Action::Off, End::Off)
}

/// Has the VM end by `action`, or the machine by `end` if the VM may.
pub fn end_life(vm: &Vm, action: Action, end: End) {
    if vm.config.settings.machine & end.permission() != 0 {
        Machine::get().shut_down(end, vm);
        vm.stop(Action::Off);
    } else {
        vm.stop(action);
    }
}

/// CPU_ON (section 5.4): target affinity, entry address, context.
#[inline(never)]
fn cpu_on(caller: &'static Vcpu, target: u64, entry: u64, context: u64) -> i64 {
    let vm = caller.vm;
    if target & !MPIDR_AFFINITY != 0 {
        return result::PSCI_INVALID_PARAMETERS;
    }
    let Some(vcpu) = vm.vcpus().iter().find(|vcpu| vcpu.index as u64 == target) else {
        return result::PSCI_INVALID_PARAMETERS;
    };
    if vcpu.is_switched_on() {
        look_at_late_start(vcpu);
        return result::PSCI_ALREADY_ON;
    }
    // INVALID_ADDRESS came with PSCI 1.0 (section 5.4.4).
    if !vm.can_begin_at(entry) {
        let has_code = vm.row.get(Register::PsciVersion) > u64::from(function::PSCI_VERSION_0_2);
        return if has_code { result::PSCI_INVALID_ADDRESS } else { result::PSCI_INVALID_PARAMETERS };
    }
    // Before it is pending: whoever sees that looks at since when.
    vm.watch_start(timer::count());
    if !vcpu.switch_on(PowerState::OnPending, entry, context) {
        // Another call was first.
        return result::PSCI_ALREADY_ON;
    }
    Machine::get().kick(vcpu.core);
    result::PSCI_SUCCESS
}

/// SYSTEM_SUSPEND (section 5.20): entry address, context. Caches stay as they are: the guest goes on with them off, and what it
/// reads before it turns them on has to be in memory (a Linux reads nothing before).
#[cold]
fn system_suspend(vcpu: &'static Vcpu, entry: u64, context: u64) -> Result<i64, Next> {
    // Nobody but the guest switches its vCPUs on: with no other one on, none comes meanwhile.
    if vcpu.vm.live() != vcpu.bit() {
        return Ok(result::PSCI_DENIED);
    }
    if !vcpu.vm.can_begin_at(entry) {
        return Ok(result::PSCI_INVALID_ADDRESS);
    }
    Err(vcpu.suspend(entry, context))
}

/// Of a vCPU that is yet to begin: who asks, waits, and its core is named if it takes too long.
fn look_at_late_start(vcpu: &Vcpu) {
    if vcpu.power() == PowerState::OnPending {
        let _ = vcpu.vm.name_deaf_cores(timer::count());
    }
}

/// AFFINITY_INFO (section 5.7): affinity, lowest level. A core is on as soon as CPU_ON has succeeded for it: nobody can tell when
/// it begins, and ON_PENDING is left to those to whom powering up is an act of its own.
#[inline(never)]
fn affinity_info(caller: &'static Vcpu, affinity: u64, level: u64) -> i64 {
    if affinity & !MPIDR_AFFINITY != 0 || level > MAX_LEVEL {
        return result::PSCI_INVALID_PARAMETERS;
    }
    // All vCPUs differ in affinity level 0 only, so levels above have one instance: zero.
    let level0 = affinity & 0xff;
    if affinity & !0xff != 0 {
        return result::PSCI_INVALID_PARAMETERS;
    }
    let matching = caller.vm.vcpus().iter().filter(|vcpu| level > 0 || vcpu.index as u64 == level0);
    let mut found = result::PSCI_INVALID_PARAMETERS;
    for vcpu in matching {
        if vcpu.is_switched_on() {
            look_at_late_start(vcpu);
            return result::PSCI_AFFINITY_ON;
        }
        found = result::PSCI_AFFINITY_OFF;
    }
    found
}

/// CPU_SUSPEND (section 5.1): every power state is treated as a standby, which DEN0022 section 5.1.2 allows.
#[inline(never)]
fn cpu_suspend(vcpu: &'static Vcpu) -> Result<i64, Next> {
    vcpu.wait().map_or(Ok(result::PSCI_SUCCESS), Err)
}
