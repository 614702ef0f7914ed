//! Calls that are refused faster than they should be. Nobody counts them together on the path of a call: while somebody reads
//! events a core looks, once a second, what the vCPUs have counted.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use portcullis_abi::manage::{EVENT_REFUSALS, EVENT_REFUSALS_RATE};
use spin::Once;

use super::event::Event;
use crate::cpu::deadlines::{NEVER, Timer};
use crate::cpu::physical_core::Core;

/// Tells how many calls of the VM with this number were refused since it was created. None: there is no such VM.
pub type Refused = fn(usize) -> Option<u64>;

/// See the module.
pub struct Refusals {
    refused: Refused,
    /// By VM: how many there were at the last look.
    seen: Once<Box<[AtomicU64]>>,
    /// The core whose timer is set for the next look, and when that is.
    core: AtomicUsize,
    due: AtomicU64,
}

impl Refusals {
    pub fn new(refused: Refused) -> Self {
        let (core, due) = (AtomicUsize::new(usize::MAX), AtomicU64::new(NEVER));
        Self { refused, seen: Once::new(), core, due }
    }

    /// There are so many VMs. To be called once.
    pub fn set_up(&self, vms: usize) {
        self.seen.call_once(|| (0..vms).map(|_| AtomicU64::new(0)).collect());
    }

    /// How many there were of each VM at the last look, and how many there are.
    fn all(&self) -> impl Iterator<Item = (usize, &AtomicU64, u64)> {
        let seen = self.seen.get().into_iter().flat_map(|seen| seen.iter()).enumerate();
        seen.map_while(|(vm, seen)| Some((vm, seen, (self.refused)(vm)?)))
    }

    /// Somebody reads from now on, which is `now`, in ticks of the physical counter of `frequency` Hz: this core looks.
    pub fn begin(&self, now: u64, frequency: u64) {
        let Some(here) = Core::current() else { return };
        self.all().for_each(|(_, seen, refused)| seen.store(refused, Ordering::Relaxed));
        let due = now.saturating_add(frequency);
        self.core.store(here.index, Ordering::Relaxed);
        self.due.store(due, Ordering::Relaxed);
        here.arm_by(Timer::Device, due);
    }

    /// Looks, if it is time for it and core `core` does so, and tells what is above the rate. Returns when the timer is to be set
    /// for it again.
    pub fn look(&self, core: usize, now: u64, frequency: u64, tell: impl Fn(Event)) -> Option<u64> {
        if self.core.load(Ordering::Relaxed) != core {
            return None;
        }
        let due = self.due.load(Ordering::Relaxed);
        if now < due {
            return Some(due);
        }
        let elapsed = now.saturating_sub(due).saturating_add(frequency).max(1);
        let next = now.saturating_add(frequency);
        self.due.store(next, Ordering::Relaxed);
        for (vm, seen, refused) in self.all() {
            let before = seen.swap(refused, Ordering::Relaxed);
            // One that was made anew meanwhile counts from zero.
            let more = refused.checked_sub(before).unwrap_or(refused);
            let in_a_second = u128::from(more) * u128::from(frequency) / u128::from(elapsed);
            if in_a_second > u128::from(EVENT_REFUSALS_RATE) {
                tell(Event::of(EVENT_REFUSALS, vm, in_a_second as u64));
            }
        }
        Some(next)
    }
}
