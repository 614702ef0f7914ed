//! An access, a fetch or a table walk that reaches nothing, or that cannot be emulated: the guest gets the abort that a board
//! would report, and the VM goes on.

use portcullis_arch::{account::Exit, el1, el2, stepping, vectors::Next};

use super::abort_syndrome::{self, Fate};
use super::fault;
use super::table_walk::Regime;
use crate::vm::{Vcpu, failure::Reason};

/// Answers the abort of `syndrome` (ESR_EL2), which `reason` describes. The VM fails if its manifest wants that, or if the
/// abort is that of the first instruction of the guest's own vector, again: nothing would ever change.
#[cold]
#[inline(never)]
pub fn answer(vcpu: &'static Vcpu, reason: Reason, syndrome: u64) -> Next {
    let syndrome_for_guest = match abort_syndrome::fate(syndrome, el2::saved_state(), level(vcpu, syndrome)) {
        Fate::Abort(_) if vcpu.vm.config.settings.stop_on_fault => return fault::stop(vcpu, reason, syndrome),
        Fate::Abort(for_guest) => for_guest,
        Fate::Pass => {
            vcpu.account().exit(Exit::Abort);
            stepping::step_over(syndrome);
            return vcpu.before_resume_on_any();
        }
        Fate::Stop => return fault::stop(vcpu, Reason::Exception, syndrome),
    };
    let vector = el2::exception_vector();
    if el2::return_address() == vector {
        let last = el2::last_taken();
        if last.return_address == vector && last.fault_address == el2::fault_address() {
            return fault::stop_at_vector(vcpu, syndrome);
        }
        vcpu.before_vector.note(last.syndrome, last.return_address);
    }
    vcpu.account().exit(Exit::Abort);
    fault::report(vcpu, reason, syndrome);
    el2::inject(syndrome_for_guest, Some(el2::fault_address()));
    vcpu.before_resume_on_any()
}

/// The level of stage 1 whose descriptor lies where there is nothing.
fn level(vcpu: &Vcpu, syndrome: u64) -> Option<u64> {
    if !abort_syndrome::is_on_walk(syndrome) {
        return None;
    }
    let (control, tables) = el1::translation();
    let mut memory = vcpu.vm.memory_on(vcpu.core)?;
    let read = |address| memory.peek(address);
    Regime { control, tables }.level_at(el2::fault_address(), el2::fault_ipa(), read)
}
