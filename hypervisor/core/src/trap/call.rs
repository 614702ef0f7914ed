//! Firmware calls that the vectors do not finish: HVC and SMC.
//!
//! A service has four ways in: PTP, TRNG_RND64 and PSCI one each, all others together. Each is a function of its own, since a
//! function saves the registers that its most demanding branch needs: up to six pairs, 12 instructions there and back, which a
//! call that does little would pay as well. An entry that does nothing takes 97 instructions as a whole (docs/numbers.md).

use portcullis_abi::result;
use portcullis_arch::{context::Context, timer, vectors::Next};
use portcullis_board::Firmware;
use portcullis_gate::{Call, Conduit, Group, Return, Service, TrngFunction, Verdict};

use crate::machine::Machine;
use crate::service::{self, Outcome, forward::forward, psci, ptp, trng};
use crate::vm::Vcpu;

/// Bit of ESR_ELx that tells an SMC (EC 0x17) from an HVC (EC 0x16).
const SMC: u64 = 1 << 26;

/// A guest called a service that the gate has let through when the VM started. The call is counted already.
#[unsafe(no_mangle)]
pub extern "C" fn portcullis_serve(context: &mut Context, code: u32) -> Next {
    match code {
        Service::PTP => serve_ptp(context),
        Service::RND64 => serve_rnd64(context),
        Service::PSCI..Service::PSCI_END => serve_psci(context, code),
        _ => serve(context, code),
    }
}

/// Serves PSCI.
#[inline(never)]
fn serve_psci(context: &mut Context, code: u32) -> Next {
    let vcpu = Vcpu::of(context);
    let Some(Service::Psci(function, _)) = Service::from_code(code) else { return serve(context, code) };
    match psci::serve(vcpu, function, arguments(context)) {
        Ok(code) => {
            context.set_results(Return::code(code).0);
            Next::Resume
        }
        Err(next) => leave(context, next),
    }
}

/// The vCPU leaves its core. If it comes back, it has only waited, and its call has succeeded.
#[cold]
#[inline(never)]
fn leave(context: &mut Context, next: Next) -> Next {
    context.set_results(Return::code(result::PSCI_SUCCESS).0);
    next
}

/// Serves TRNG_RND64, a call that a running system makes again and again.
#[inline(never)]
fn serve_rnd64(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let [_, x1, ..] = context.x;
    let results = trng::serve(Machine::get(), vcpu.vm, TrngFunction::Rnd64, x1);
    context.set_results(results.0);
    Next::Resume
}

/// Serves PTP: a guest that keeps its clock by it asks often.
#[inline(never)]
fn serve_ptp(context: &mut Context) -> Next {
    let vcpu = Vcpu::of(context);
    let [_, x1, ..] = context.x;
    // An SMC32 call: its argument is 32 bits wide.
    let results = ptp::serve(Machine::get().wall_clock(), x1 & 0xffff_ffff, vcpu.vm.counter_offset());
    context.set_results(results.0);
    Next::Resume
}

/// Serves all others.
#[inline(never)]
fn serve(context: &mut Context, code: u32) -> Next {
    let vcpu = Vcpu::of(context);
    let outcome = match Service::from_code(code) {
        Some(service) => service::serve(vcpu, service, arguments(context)),
        // The answers hold codes of services only.
        None => Outcome::Return(Return::NOT_SUPPORTED),
    };
    match outcome {
        Outcome::Return(results) => {
            context.set_results(results.0);
            Next::Resume
        }
        Outcome::Leave(next) => leave(context, next),
    }
}

/// Hands the call in `context` to EL3.
#[cold]
fn forward_to(firmware: &dyn Firmware, context: &mut Context) {
    let client = context.client;
    if let Some(registers) = context.x.first_chunk_mut() {
        forward(firmware, client, registers);
    }
}

/// The arguments of the call in `context`, as wide as its function has them.
#[inline]
fn arguments(context: &Context) -> [u64; 3] {
    let [x0, x1, x2, x3, ..] = context.x;
    Call::new(Conduit::Hvc, [x0, x1, x2, x3]).arguments()
}

/// A guest made an HVC or SMC that only the gate can decide.
#[unsafe(no_mangle)]
pub extern "C" fn portcullis_call(context: &mut Context, syndrome: u64) -> Next {
    let smc = syndrome & SMC != 0;
    let conduit = if smc { Conduit::Smc } else { Conduit::Hvc };
    let [x0, x1, x2, x3, ..] = context.x;
    let call = Call { x: [x0, x1, x2, x3], conduit, immediate: syndrome as u16, aarch32: false };
    let vcpu = Vcpu::of(context);
    let group = Group::of(call.function());
    let verdict = vcpu.vm.decide(&call);
    if vcpu.vm.audit.profile().is_some() {
        vcpu.vm.watch(&call, &verdict);
    }
    let results = match verdict {
        Verdict::Answer(results) => results,
        Verdict::Forward if let Some(firmware) = Machine::get().board.firmware => {
            vcpu.account().forward(smc);
            forward_to(firmware, context);
            return Next::Resume;
        }
        // Without firmware no filter has a range that is forwarded.
        Verdict::Deny | Verdict::Forward => {
            vcpu.account().refuse(smc, group, x0 as u32, timer::count_relaxed());
            context.set_results(Return::NOT_SUPPORTED.0);
            return Next::Resume;
        }
        Verdict::Serve(service) => match service::serve(vcpu, service, call.arguments()) {
            Outcome::Return(results) => results,
            Outcome::Leave(next) => return leave(context, next),
        },
    };
    vcpu.account().answer(smc, group);
    context.set_results(results.0);
    Next::Resume
}
