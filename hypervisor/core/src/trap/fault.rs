//! Lines about what a guest did wrong, and the end of a VM that cannot go on from it.

use core::fmt;

use portcullis_arch::{el2, timer, vectors::Next};

use super::abort_syndrome::has_address;
use crate::vm::{
    Vcpu,
    failure::{Failure, Reason},
    report::Occasion,
};

/// Stops the VM of `vcpu` as failed. The others go on.
#[cold]
pub fn stop(vcpu: &'static Vcpu, reason: Reason, syndrome: u64) -> Next {
    let fault = Fault::here(reason, syndrome);
    report_end(vcpu, format_args!("{} vcpu {}: stopped: {fault}", vcpu.vm.name(), vcpu.index));
    let pc = el2::return_address();
    fail(vcpu, Failure { reason, vcpu: vcpu.index, syndrome: syndrome as u32, pc, address: fault.intermediate })
}

/// Stops the VM of `vcpu`, which has an abort at its own exception vector for the second time.
#[cold]
pub fn stop_at_vector(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    let fault = Fault::here(Reason::Vector, syndrome);
    let (esr, elr) = vcpu.before_vector.last();
    let (vm, index) = (vcpu.vm.name(), vcpu.index);
    let before = format_args!("before it came ESR_EL1 {esr:#010x} at ELR_EL1 {elr:#x}");
    report_end(vcpu, format_args!("{vm} vcpu {index}: stopped: {fault}; {before}"));
    let (syndrome, address) = (esr as u32, el2::return_address());
    fail(vcpu, Failure { reason: Reason::Vector, vcpu: vcpu.index, syndrome, pc: elr, address })
}

/// Ends the VM of `vcpu`, which was on this core until now, for an SError of `syndrome`. The vCPU goes when its core comes to it.
#[cold]
pub fn stop_behind(vcpu: &Vcpu, syndrome: u64) {
    let pc = vcpu.place_of_guest();
    let (vm, index, reason) = (vcpu.vm.name(), vcpu.index, Reason::SError);
    // A VM whose end was decided before ends by that.
    if vcpu.vm.fail(Failure { reason, vcpu: index, syndrome: syndrome as u32, pc, address: 0 }) {
        let line = format_args!(
            "{vm} vcpu {index}: stopped: {reason} behind its last stores: pc {pc:#x} syndrome {syndrome:#010x}"
        );
        report_end(vcpu, line);
    }
}

fn report_end(vcpu: &Vcpu, line: fmt::Arguments) {
    let occasion = if vcpu.vm.life.restart_policy().has_left() { Occasion::Repeatable } else { Occasion::End };
    vcpu.vm.report(occasion, line);
}

fn fail(vcpu: &'static Vcpu, failure: Failure) -> Next {
    vcpu.vm.fail(failure);
    vcpu.retire()
}

/// Says that the guest gets an abort, once a second for each VM at the most.
#[cold]
pub fn report(vcpu: &Vcpu, reason: Reason, syndrome: u64) {
    if let Some(unsaid) = vcpu.vm.fault_report.is_due(timer::count_relaxed(), timer::frequency()) {
        let fault = Fault::here(reason, syndrome);
        let line = format_args!("{} vcpu {}: gets an abort: {fault}{unsaid}", vcpu.vm.name(), vcpu.index);
        vcpu.vm.report(Occasion::Repeatable, line);
    }
}

/// What a line says of a fault.
struct Fault {
    reason: Reason,
    syndrome: u64,
    /// Where in the guest's physical addresses; 0 if the hardware does not tell.
    intermediate: u64,
}

impl Fault {
    /// The fault that led to EL2 last.
    fn here(reason: Reason, syndrome: u64) -> Self {
        let told = !matches!(reason, Reason::SError | Reason::Exception | Reason::Load) && has_address(syndrome);
        Self { reason, syndrome, intermediate: if told { el2::fault_ipa() } else { 0 } }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, syndrome, intermediate } = self;
        let (pc, address) = (el2::return_address(), el2::fault_address());
        write!(f, "{reason}: pc {pc:#x} syndrome {syndrome:#010x} address {address:#x} (ipa {intermediate:#x})")
    }
}
