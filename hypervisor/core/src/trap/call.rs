//! Firmware calls that the vectors do not finish: HVC and SMC.
//!
//! A service has four ways in: PTP, TRNG_RND64 and PSCI one each, all others together. Each is a function of its own, since a
//! function saves the registers that its most demanding branch needs: up to six pairs, 12 instructions there and back, which a
//! call that does little would pay as well. An entry that does nothing takes 97 instructions as a whole (docs/numbers.md).

use portcullis_abi::result;
use portcullis_arch::{context::Context, timer, vectors::Next};
use portcullis_board::Firmware;
use portcullis_gate::{Call, Conduit, Group, Return, Service, TrngFunction, Verdict};

use super::visit;
use crate::machine::Machine;
use crate::service::{self, Outcome, forward::forward, psci, ptp, trng};
use crate::vm::Vcpu;
use crate::vm::audit::Watch;

/// Bit of ESR_ELx that tells an SMC (EC 0x17) from an HVC (EC 0x16).
const SMC: u64 = 1 << 26;

/// A guest called a service that the gate has let through when the VM started. The call is counted already.
///
/// # Safety
///
/// For the vectors only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portcullis_serve(context: *const Context, code: u32) -> Next {
    // SAFETY: it comes from the vectors.
    let vcpu = unsafe { Vcpu::of(context) };
    match code {
        Service::PTP => serve_ptp(vcpu),
        Service::RND64 => serve_rnd64(vcpu),
        Service::PSCI..Service::PSCI_END => serve_psci(vcpu, code),
        _ => serve(vcpu, code),
    }
}

/// Serves PSCI.
#[inline(never)]
fn serve_psci(vcpu: &'static Vcpu, code: u32) -> Next {
    let Some(Service::Psci(function, _)) = Service::from_code(code) else { return serve(vcpu, code) };
    match psci::serve(vcpu, function, arguments(&vcpu.context)) {
        Ok(code) => {
            vcpu.context.set_registers(Return::code(code).0);
            Next::Resume
        }
        Err(next) => leave(vcpu, next),
    }
}

/// The vCPU leaves its core. If it comes back, it has only waited, and its call has succeeded.
#[cold]
#[inline(never)]
fn leave(vcpu: &Vcpu, next: Next) -> Next {
    vcpu.context.set_registers(Return::code(result::PSCI_SUCCESS).0);
    next
}

/// Serves TRNG_RND64, a call that a running system makes again and again.
#[inline(never)]
fn serve_rnd64(vcpu: &'static Vcpu) -> Next {
    let x1 = vcpu.context.register(1);
    let results = trng::serve(Machine::get(), vcpu.vm, TrngFunction::Rnd64, x1);
    vcpu.context.set_registers(results.0);
    Next::Resume
}

/// Serves PTP: a guest that keeps its clock by it asks often.
#[inline(never)]
fn serve_ptp(vcpu: &'static Vcpu) -> Next {
    let x1 = vcpu.context.register(1);
    // An SMC32 call: its argument is 32 bits wide.
    let (clock, offset) = (Machine::get().wall_clock(), vcpu.vm.counter_offset());
    let results = ptp::serve(clock, x1 & 0xffff_ffff, offset, || vcpu.vm.physical_lag());
    vcpu.context.set_registers(results.0);
    Next::Resume
}

/// Serves all others.
#[inline(never)]
fn serve(vcpu: &'static Vcpu, code: u32) -> Next {
    let outcome = match Service::from_code(code) {
        Some(service) => service::serve(vcpu, service, arguments(&vcpu.context)),
        // The answers hold codes of services only.
        None => Outcome::Return(Return::NOT_SUPPORTED),
    };
    match outcome {
        Outcome::Return(results) => {
            vcpu.context.set_registers(results.0);
            Next::Resume
        }
        Outcome::Leave(next) => leave(vcpu, next),
    }
}

/// Hands the call in `context` to EL3.
#[cold]
fn forward_to(firmware: &dyn Firmware, context: &Context) {
    let mut registers = context.registers();
    forward(firmware, context.client.get(), context.wide.get() != 0, &mut registers);
    context.set_registers(registers);
}

/// The arguments of the call in `context`, as wide as its function has them.
#[inline]
fn arguments(context: &Context) -> [u64; 3] {
    Call::new(Conduit::Hvc, context.registers()).arguments()
}

/// A guest made an HVC or SMC that only the gate can decide.
///
/// # Safety
///
/// For the vectors only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn portcullis_call(context: *const Context, syndrome: u64) -> Next {
    // SAFETY: it comes from the vectors.
    decide(unsafe { Vcpu::of(context) }, syndrome)
}

/// Decides the call of `vcpu` that came with `syndrome` (ESR_EL2), and does what is decided. The guest goes on behind it.
pub fn decide(vcpu: &'static Vcpu, syndrome: u64) -> Next {
    let smc = syndrome & SMC != 0;
    let conduit = if smc { Conduit::Smc } else { Conduit::Hvc };
    let x = vcpu.context.registers();
    let call = Call { x, conduit, immediate: syndrome as u16, aarch32: false };
    match vcpu.vm.audit.watch() {
        None => act(vcpu, &call, vcpu.vm.decide_watched(None, &call)),
        Some(watch) => watched(vcpu, &call, watch),
    }
}

/// Decides the call of a vCPU whose calls are watched, and does what is decided.
#[cold]
#[inline(never)]
fn watched(vcpu: &'static Vcpu, call: &Call, watch: Watch) -> Next {
    let verdict = vcpu.vm.decide_watched(Some(watch), call);
    if watch.profile().is_some() {
        vcpu.vm.watch(call, &verdict);
    }
    let smc = call.conduit == Conduit::Smc;
    let visit = if watch.is_traced() { visit::begin_call(vcpu, call.function().0, smc, &verdict) } else { None };
    let next = act(vcpu, call, verdict);
    visit.into_iter().for_each(|visit| visit.end(next));
    next
}

/// Does what was decided of a call. The guest goes on behind it.
#[inline(always)]
fn act(vcpu: &'static Vcpu, call: &Call, verdict: Verdict) -> Next {
    let (smc, group) = (call.conduit == Conduit::Smc, Group::of(call.function()));
    let results = match verdict {
        Verdict::Answer(results) => results,
        Verdict::Forward if let Some(firmware) = Machine::get().board.firmware => {
            vcpu.account().forward(smc);
            forward_to(firmware, &vcpu.context);
            return Next::Resume;
        }
        // Without firmware no filter has a range that is forwarded.
        Verdict::Deny | Verdict::Forward => {
            vcpu.account().refuse(smc, group, call.function().0, timer::count_relaxed());
            vcpu.context.set_registers(Return::NOT_SUPPORTED.0);
            return Next::Resume;
        }
        Verdict::Serve(service) => match service::serve(vcpu, service, call.arguments()) {
            Outcome::Return(results) => results,
            Outcome::Leave(next) => return leave(vcpu, next),
        },
    };
    vcpu.account().answer(smc, group);
    vcpu.context.set_registers(results.0);
    Next::Resume
}
