//! What a guest does, as a test tells it, and where its core ends.

use crate::context::{Context, Exception, Next};

/// What the vectors take from a guest.
#[derive(Clone, Copy, Debug)]
pub enum Trap {
    /// An IRQ or FIQ, for the handler of interrupts. What is acknowledged then is for [`pend`](super::pend).
    Interrupt,
    /// A synchronous exception with this syndrome (ESR_EL2), for the handler of exceptions.
    Exception(u64),
    /// What the vectors hand to a function that they name themselves, with this syndrome: a call for the gate, an SError.
    To(Exception, u64),
    /// A call of a service with this code, which the vectors hand to a function that they name themselves.
    Service(unsafe extern "C" fn(*const Context, u32) -> Next, u32),
}

/// What a guest does until it traps.
pub type Guest = Box<dyn FnOnce(&Context) -> Trap>;

/// Where a core is when nothing more happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// In the guest whose context this is, which has done all that it was to do.
    InGuest(*const Context),
    /// It waits for an interrupt, and none is pending.
    Waits,
}
