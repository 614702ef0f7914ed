//! Where the machine stands: there is one. In tests each thread has one of its own, so that none sees another's.

pub use here::*;

#[cfg(not(any(test, feature = "rig")))]
mod here {
    use spin::Once;

    use crate::machine::Machine;

    static MACHINE: Once<Machine> = Once::new();

    /// Puts the machine there, once.
    pub fn put(machine: Machine) -> &'static Machine {
        MACHINE.call_once(|| machine)
    }

    /// The machine, if it was put there.
    #[inline(always)]
    pub fn get() -> Option<&'static Machine> {
        MACHINE.get()
    }
}

#[cfg(any(test, feature = "rig"))]
mod here {
    use std::cell::Cell;

    use crate::machine::Machine;

    thread_local! {
        static MACHINE: Cell<Option<&'static Machine>> = const { Cell::new(None) };
    }

    /// Puts a machine of its own there.
    pub fn put(machine: Machine) -> &'static Machine {
        share(Box::leak(Box::new(machine)))
    }

    /// Has this thread see a machine that another one has put together.
    pub fn share(machine: &'static Machine) -> &'static Machine {
        MACHINE.set(Some(machine));
        machine
    }

    /// This thread's machine.
    pub fn get() -> Option<&'static Machine> {
        MACHINE.get()
    }
}
