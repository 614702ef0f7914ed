//! Traps of vCPUs that a trace follows: they are served as others are, and what comes of it is noted. The vectors come here only
//! while the trace is on (`run::follow`); calls do as their tables of answers are empty then.

mod visit;

use portcullis_abi::manage;
use portcullis_arch::{context::Context, el2, vectors::Next};
use portcullis_gate::{Service, Verdict};
use portcullis_trace as trace;

use self::visit::{Visit, What};
use super::exception::{self, EC_HVC, EC_SMC};
use super::interrupt;
use crate::cpu::gic::Interface;
use crate::vm::Vcpu;
use crate::with_interface;

/// An IRQ came while a guest ran that has its core to itself.
///
/// # Safety
///
/// For the vectors only.
pub unsafe extern "C" fn while_running<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    unsafe { interrupt::<G>(context, interrupt::while_running::<G>) }
}

/// The same on a core that vCPUs share.
///
/// # Safety
///
/// For the vectors only.
pub unsafe extern "C" fn while_sharing<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    unsafe { interrupt::<G>(context, interrupt::while_sharing::<G>) }
}

/// # Safety
///
/// For the vectors only.
#[inline(always)]
unsafe fn interrupt<G: Interface>(context: *const Context, serve: unsafe extern "C" fn(*const Context) -> Next) -> Next {
    // SAFETY: it comes from the vectors.
    let visit = Visit::begin::<G>(unsafe { Vcpu::of(context) });
    // SAFETY: passed on to the caller.
    let next = unsafe { serve(context) };
    visit.into_iter().for_each(|visit| visit.end::<G>(next, What::Interrupt));
    next
}

/// A guest did something that is trapped.
///
/// # Safety
///
/// For the vectors only.
pub unsafe extern "C" fn taken<G: Interface>(context: *const Context, syndrome: u64) -> Next {
    let is_call = matches!(el2::class(syndrome), EC_HVC | EC_SMC);
    // SAFETY: it comes from the vectors.
    let visit = if is_call { None } else { Visit::begin::<G>(unsafe { Vcpu::of(context) }) };
    // SAFETY: passed on to the caller.
    let next = unsafe { exception::taken::<G>(context, syndrome) };
    visit.into_iter().for_each(|visit| visit.end::<G>(next, What::Exception { syndrome }));
    next
}

/// Serves an SError by `serve`, which came while the guest of `vcpu` ran.
pub fn system_error(vcpu: &'static Vcpu, syndrome: u64, serve: fn(&'static Vcpu, u64) -> Next) -> Next {
    with_interface!(G => {
        let visit = Visit::begin::<G>(vcpu);
        let next = serve(vcpu, syndrome);
        visit.into_iter().for_each(|visit| visit.end::<G>(next, What::Exception { syndrome }));
        next
    })
}

/// Does what was decided of the call of `function`, by `act`. What reads the trace is not noted: it would have no end.
pub fn call(vcpu: &'static Vcpu, function: u32, smc: bool, verdict: &Verdict, act: impl FnOnce() -> Next) -> Next {
    let verdict = match verdict {
        Verdict::Serve(Service::Management(manage::TRACE_SET..=manage::TRACE_READ)) => return act(),
        Verdict::Answer(_) | Verdict::Serve(_) => trace::Verdict::Answered,
        Verdict::Deny => trace::Verdict::Refused,
        Verdict::Forward => trace::Verdict::Forwarded,
    };
    with_interface!(G => {
        let visit = Visit::begin::<G>(vcpu);
        let next = act();
        visit.into_iter().for_each(|visit| visit.end::<G>(next, What::Call { verdict, smc, function }));
        next
    })
}
