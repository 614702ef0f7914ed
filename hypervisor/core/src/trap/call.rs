//! Firmware calls: HVC and SMC.

use portcullis_arch::{context::Context, el2, vectors::Next};
use portcullis_gate::{Call, Conduit, Return, Verdict, decide};

use crate::service::{self, Outcome};
use crate::vm::vcpu::Vcpu;

/// ESR_ELx.EC of an SMC; the other one that leads here is that of an HVC.
const EC_SMC64: u64 = 0x17;
/// Bytes of an instruction.
const INSTRUCTION: u64 = 4;

/// A guest made an HVC or SMC.
#[unsafe(no_mangle)]
extern "C" fn portcullis_call(context: &mut Context, syndrome: u64) -> Next {
    let conduit = if syndrome >> 26 & 0x3f == EC_SMC64 {
        // A trapped SMC leaves the return address at the SMC, an HVC behind it (Arm ARM, D1.3.1).
        el2::set_return_address(el2::return_address().wrapping_add(INSTRUCTION));
        Conduit::Smc
    } else {
        Conduit::Hvc
    };
    let [x0, x1, x2, x3, ..] = context.x;
    let call = Call { x: [x0, x1, x2, x3], conduit, immediate: syndrome as u16, aarch32: false };
    let vcpu = Vcpu::of(context);
    let results = match decide(vcpu.vm.row.profile(), None, &call) {
        Verdict::Answer(results) => results,
        // No VM has a filter yet, so nothing is forwarded.
        Verdict::Deny | Verdict::Forward => Return::NOT_SUPPORTED,
        Verdict::Serve(service) => match service::serve(vcpu, service, &call) {
            Outcome::Return(results) => results,
            Outcome::Leave(next) => return next,
        },
    };
    context.set_results(results.0);
    Next::Resume
}
