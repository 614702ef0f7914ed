//! Where cores wait until they are started.

use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use firmware::cores::MOST;
use firmware::reply::Start;

use crate::processor::{send_event, wait_for_event};
use crate::shared::Shared;

struct Place {
    entry: AtomicU64,
    argument: AtomicU64,
    /// Null until the core is to start. Then the others are valid.
    shared: AtomicPtr<Shared>,
}

/// All zeros, as QEMU's memory is from the start: nothing clears this, so that a core can look at it at any time.
static PLACES: [Place; MOST] = [const {
    Place { entry: AtomicU64::new(0), argument: AtomicU64::new(0), shared: AtomicPtr::new(core::ptr::null_mut()) }
}; MOST];

/// Waits until this core, number `core`, is started.
pub fn wait(core: usize) -> (Start, &'static Shared) {
    let place = &PLACES[core];
    loop {
        // SAFETY: the pointer is null or was made of a reference that is valid for ever, by `start`.
        if let Some(shared) = unsafe { place.shared.load(Ordering::Acquire).as_ref() } {
            let (entry, argument) = (place.entry.load(Ordering::Relaxed), place.argument.load(Ordering::Relaxed));
            return (Start { core, entry, argument }, shared);
        }
        // QEMU goes on at once, which costs the host a little until the hypervisor has started its cores.
        wait_for_event();
    }
}

/// Starts the core that `start` names, which must not have been started before.
pub fn start(start: Start, shared: &'static Shared) {
    let place = &PLACES[start.core];
    place.entry.store(start.entry, Ordering::Relaxed);
    place.argument.store(start.argument, Ordering::Relaxed);
    place.shared.store(core::ptr::from_ref(shared).cast_mut(), Ordering::Release);
    send_event();
}
