//! Entering a guest, and what the vectors do when it traps, on a machine that has neither.
//!
//! A function that does not return leaves by unwinding: [`run`] catches it. So nothing between the two may be `extern "C"`,
//! but for the handlers, which return.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::{self, AssertUnwindSafe};

use super::core::with;
use super::event::Event;
use super::guest::{Guest, Outcome, Trap};
use crate::context::{Context, Next};

/// Where a core is, and what happens to it.
#[derive(Default)]
pub struct Course {
    /// What the guest does next.
    guest: VecDeque<Guest>,
    /// What happens while the core waits for an interrupt.
    waits: VecDeque<Box<dyn FnOnce()>>,
    /// Whose registers the core has, while it is in a guest.
    inside: Option<*mut Context>,
    /// A handler of a trap runs.
    handles: bool,
    /// How it came out of what does not return.
    outcome: Option<Outcome>,
}

thread_local! {
    static COURSE: RefCell<Course> = RefCell::new(Course::default());
}

/// Does something with this thread's course.
fn course<R>(act: impl FnOnce(&mut Course) -> R) -> R {
    COURSE.with_borrow_mut(act)
}

/// Has this thread's core be where `course` says, and gives back where it was.
pub fn exchange(course: Course) -> Course {
    COURSE.replace(course)
}

/// Whether this core is in a guest.
pub fn is_in_guest() -> bool {
    course(|course| course.inside.is_some())
}

/// Forgets where this thread's core is, and what was to happen to it.
pub fn reset() {
    // What is queued may own what uses the core when it is dropped.
    let former = COURSE.replace(Course::default());
    drop(former);
}

/// Queues what the next guest that this core enters, or the one in which it is, does next. The closure stands for the guest: it
/// may change the registers x0 to x30 in the context before it traps. ELR_EL2, SPSR_EL2, FAR_EL2 and the like it
/// [sets](super::set) as hardware would.
pub fn guest(does: impl FnOnce(&mut Context) -> Trap + 'static) {
    course(|course| course.guest.push_back(Box::new(does)));
}

/// Queues what happens the next time that this core waits for an interrupt: what other cores and devices do meanwhile.
pub fn on_wait(happens: impl FnOnce() + 'static) {
    course(|course| course.waits.push_back(Box::new(happens)));
}

/// Has this core go on until nothing more happens to it. If it is in a guest, that goes on with what is queued; else, and each
/// time that a vCPU leaves the core, it does what `idle` says, which must not return.
pub fn run<R>(mut idle: impl FnMut() -> R) -> Outcome {
    loop {
        let left = panic::catch_unwind(AssertUnwindSafe(|| {
            if let Some(context) = course(|course| course.inside) {
                in_guest(context);
            }
            idle();
        }));
        let Err(payload) = left else { panic!("a core that has nothing to do came back from what does not return") };
        if !payload.is::<Left>() {
            panic::resume_unwind(payload);
        }
        if let Some(outcome) = course(|course| course.outcome.take()) {
            return outcome;
        }
    }
}

/// A core comes out of a function that does not return.
struct Left;

/// Has [`run`] go on: it returns the outcome, or, if there is none, has the core look for something else to do.
fn leave(outcome: Option<Outcome>) -> ! {
    course(|course| course.outcome = outcome);
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
    });
    course(|course| course.inside = Some(context));
    in_guest(context)
}

/// The guest does what is queued.
fn in_guest(context: *mut Context) -> ! {
    while let Some(does) = course(|course| course.guest.pop_front()) {
        // SAFETY: the context lives as long as the vCPU, whose core this is, and nothing else uses it while the guest runs.
        let trap = does(unsafe { &mut *context });
        course(|course| course.handles = true);
        // SAFETY: as above; the guest stands still.
        let next = take(unsafe { &mut *context }, trap);
        course(|course| course.handles = false);
        if next == Next::Leave {
            course(|course| course.inside = None);
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
    if let Some(happens) = course(|course| course.waits.pop_front()) {
        happens();
    } else if with(|core| core.pending.is_empty()) {
        // A handler is `extern "C"`: nothing unwinds out of it.
        assert!(
            !course(|course| course.handles),
            "a trap's handler waits for an interrupt, and the test has none: fake::on_wait"
        );
        leave(Some(Outcome::Waits))
    }
}
