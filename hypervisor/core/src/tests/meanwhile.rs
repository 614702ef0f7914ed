//! What happens on another core while one does a piece of work, at a place of it that a test chooses.

use std::boxed::Box;
use std::cell::RefCell;

use crate::memory::guest::GuestMemory;

type Act = Box<dyn FnOnce()>;

std::thread_local! {
    static NEXT: RefCell<Option<(usize, Act)>> = const { RefCell::new(None) };
}

/// Has `act` happen at the place with this number, of those that are passed from now on.
pub fn at(place: usize, act: impl FnOnce() + 'static) {
    NEXT.set(Some((place, Box::new(act))));
}

/// Tells whether it is yet to happen, and has it not happen any more.
pub fn is_left() -> bool {
    NEXT.take().is_some()
}

/// A place of a piece of work, at which no lock is held that messages of a driver wait for.
pub fn place() {
    let due = NEXT.with_borrow_mut(|next| match next {
        Some((0, _)) => next.take().map(|(_, act)| act),
        Some((left, _)) => {
            *left -= 1;
            None
        }
        None => None,
    });
    due.into_iter().for_each(|act| act());
}

/// The same, of one that holds memory: it is shown by the core on which it happens, as everything is here.
pub fn place_beside(held: [Option<&mut GuestMemory>; 2]) {
    held.into_iter().flatten().for_each(GuestMemory::let_go);
    place();
}
