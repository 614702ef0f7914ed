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

/// An IRQ came while a guest ran that has its core to itself.
///
/// # Safety
///
/// For the vectors only.
pub unsafe extern "C" fn while_running<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    unsafe { interrupt(context, interrupt::while_running::<G>) }
}

/// The same on a core that vCPUs share.
///
/// # Safety
///
/// For the vectors only.
pub unsafe extern "C" fn while_sharing<G: Interface>(context: *const Context) -> Next {
    // SAFETY: it comes from the vectors.
    unsafe { interrupt(context, interrupt::while_sharing::<G>) }
}

/// # Safety
///
/// For the vectors only.
unsafe fn interrupt(context: *const Context, serve: unsafe extern "C" fn(*const Context) -> Next) -> Next {
    // SAFETY: it comes from the vectors.
    let visit = Visit::begin(unsafe { Vcpu::of(context) });
    // SAFETY: passed on to the caller.
    let next = unsafe { serve(context) };
    visit.into_iter().for_each(|visit| visit.end(next, What::Interrupt));
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
    let visit = if is_call { None } else { Visit::begin(unsafe { Vcpu::of(context) }) };
    // SAFETY: passed on to the caller.
    let next = unsafe { exception::taken::<G>(context, syndrome) };
    visit.into_iter().for_each(|visit| visit.end(next, What::Exception { syndrome }));
    next
}

/// Serves an SError by `serve`, which came while the guest of `vcpu` ran.
pub fn system_error(vcpu: &'static Vcpu, syndrome: u64, serve: fn(&'static Vcpu, u64) -> Next) -> Next {
    let visit = Visit::begin(vcpu);
    let next = serve(vcpu, syndrome);
    visit.into_iter().for_each(|visit| visit.end(next, What::Exception { syndrome }));
    next
}

/// A call of `function` that was decided so is about to be served. None: what reads the trace is not noted, as that would have no end.
pub fn begin_call(vcpu: &'static Vcpu, function: u32, smc: bool, verdict: &Verdict) -> Option<CallVisit> {
    let verdict = match verdict {
        Verdict::Serve(Service::Management(manage::TRACE_SET..=manage::TRACE_READ)) => return None,
        Verdict::Answer(_) | Verdict::Serve(_) => trace::Verdict::Answered,
        Verdict::Deny => trace::Verdict::Refused,
        Verdict::Forward => trace::Verdict::Forwarded,
    };
    let visit = Visit::begin(vcpu)?;
    Some(CallVisit { visit, what: What::Call { verdict, smc, function } })
}

/// A call that a trace follows.
pub struct CallVisit {
    visit: Visit,
    what: What,
}

impl CallVisit {
    /// It is served.
    pub fn end(self, next: Next) {
        self.visit.end(next, self.what);
    }
}
