//! Entering a guest, and what the vectors do when it traps, on a machine that has neither.
//!
//! A function that does not return leaves by unwinding: [`run`] catches it. So nothing between the two may be `extern "C"`,
//! but for the handlers, which return.

use std::panic::{self, AssertUnwindSafe};

use super::core::with;
use super::event::Event;
use super::guest::{Outcome, Trap};
use crate::context::{Context, Next};

/// Queues what the next guest that this core enters, or the one in which it is, does next. The closure stands for the guest: it
/// may change the registers x0 to x30 in the context before it traps. ELR_EL2, SPSR_EL2, FAR_EL2 and the like it
/// [sets](super::set) as hardware would.
pub fn guest(does: impl FnOnce(&mut Context) -> Trap + 'static) {
    with(|core| core.guest.push_back(Box::new(does)));
}

/// Queues what happens the next time that this core waits for an interrupt: what other cores and devices do meanwhile.
pub fn on_wait(happens: impl FnOnce() + 'static) {
    with(|core| core.waits.push_back(Box::new(happens)));
}

/// Has this core go on until nothing more happens to it. If it is in a guest, that goes on with what is queued; else, and each
/// time that a vCPU leaves the core, it does what `idle` says, which must not return.
pub fn run<R>(mut idle: impl FnMut() -> R) -> Outcome {
    loop {
        let left = panic::catch_unwind(AssertUnwindSafe(|| {
            if let Some(context) = with(|core| core.inside) {
                in_guest(context);
            }
            idle();
        }));
        let Err(payload) = left else { panic!("a core that has nothing to do came back from what does not return") };
        if !payload.is::<Left>() {
            panic::resume_unwind(payload);
        }
        if let Some(outcome) = with(|core| core.outcome.take()) {
            return outcome;
        }
    }
}

/// A core comes out of a function that does not return.
struct Left;

/// Has [`run`] go on: it returns the outcome, or, if there is none, has the core look for something else to do.
fn leave(outcome: Option<Outcome>) -> ! {
    with(|core| core.outcome = outcome);
    panic::resume_unwind(Box::new(Left))
}

/// Enters a guest, as `portcullis_enter` does.
pub fn enter(context: *mut Context) -> ! {
    // SAFETY: the caller of `vectors::enter` vouches for the context.
    let (elr, spsr) = unsafe { ((*context).elr, (*context).spsr) };
    with(|core| {
        core.note(Event::Enter(elr));
        core.set("elr_el2", elr);
        core.set("spsr_el2", spsr);
        core.inside = Some(context);
    });
    in_guest(context)
}

/// The guest does what is queued.
fn in_guest(context: *mut Context) -> ! {
    while let Some(does) = with(|core| core.guest.pop_front()) {
        // SAFETY: the context lives as long as the vCPU, whose core this is, and nothing else uses it while the guest runs.
        let trap = does(unsafe { &mut *context });
        with(|core| core.handles = true);
        // SAFETY: as above; the guest stands still.
        let next = take(unsafe { &mut *context }, trap);
        with(|core| core.handles = false);
        if next == Next::Leave {
            with(|core| core.inside = None);
            leave(None);
        }
    }
    leave(Some(Outcome::InGuest(context)))
}

/// Does what the vectors do with a trap.
fn take(context: &mut Context, trap: Trap) -> Next {
    const NOT_STARTED: &str = "a vCPU that was entered has its handlers";
    match trap {
        Trap::Interrupt => context.interrupt.expect(NOT_STARTED)(context),
        Trap::Exception(syndrome) => {
            with(|core| core.set("esr_el2", syndrome));
            context.exception.expect(NOT_STARTED)(context, syndrome)
        }
        Trap::To(handler, syndrome) => {
            with(|core| core.set("esr_el2", syndrome));
            // An SMC64 leaves the return address at itself, and the vectors put it behind (Arm ARM, D1.3.1).
            if syndrome >> 26 & 0x3f == 0x17 {
                with(|core| {
                    let address = core.read("elr_el2");
                    core.set("elr_el2", address.wrapping_add(4));
                });
            }
            handler(context, syndrome)
        }
        Trap::Service(handler, code) => handler(context, code),
    }
}

/// Waits for an interrupt.
pub fn wait() {
    with(|core| core.note(Event::Instruction("wfi")));
    // Out of the queue before it happens: it may queue more.
    if let Some(happens) = with(|core| core.waits.pop_front()) {
        happens();
    } else if with(|core| core.pending.is_empty()) {
        // A handler is `extern "C"`: nothing unwinds out of it.
        assert!(
            !with(|core| core.handles),
            "a trap's handler waits for an interrupt, and the test has none: fake::on_wait"
        );
        leave(Some(Outcome::Waits))
    }
}
