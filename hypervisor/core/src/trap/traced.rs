//! Traps of vCPUs that a trace follows: they are served as others are, and what comes of it is noted. The vectors come here only
//! while the trace is on (`run::follow`); calls do as their tables of answers are empty then.

use portcullis_arch::{context::Context, el2, vectors::Next};

use super::exception::{self, EC_HVC, EC_SMC};
use super::interrupt;
use super::visit::{Visit, What};
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
    let visit = Visit::begin(unsafe { Vcpu::of(context) }, What::Interrupt);
    // SAFETY: passed on to the caller.
    let next = unsafe { serve(context) };
    visit.into_iter().for_each(|visit| visit.end(next));
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
    let visit = if is_call { None } else { Visit::begin(unsafe { Vcpu::of(context) }, What::Exception { syndrome }) };
    // SAFETY: passed on to the caller.
    let next = unsafe { exception::taken::<G>(context, syndrome) };
    visit.into_iter().for_each(|visit| visit.end(next));
    next
}
