//! The slots of a core: which block of 2 MiB each of them shows.

use core::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use super::near::{HOLDS, Hold};
use crate::memory::stage1::{self, Use};
use crate::memory::window::{self, SLOT, SLOTS};

/// Slots of a core.
pub(super) const OF_CORE: usize = 4;
/// The bits of a descriptor that say which block it shows (Arm ARM, D8.3.1).
pub(super) const BLOCK: u64 = 0xffff_ffe0_0000;
/// One that was asked for last, and another one, are not held.
const _: () = assert!(HOLDS + 2 <= OF_CORE);
/// Most cores that have slots.
pub(super) const CORES: usize = SLOTS / OF_CORE;

/// By core: which of its slots was asked for last, and which shows something else next.
static LAST: [AtomicU8; CORES] = [const { AtomicU8::new(0) }; CORES];
static NEXT: [AtomicU8; CORES] = [const { AtomicU8::new(0) }; CORES];

/// By core: the descriptors of the slots that keep what they show, for as long as a piece of work lasts (`near.rs`).
type Held = [[AtomicU64; HOLDS]; CORES];

/// No core holds any.
const fn none_held() -> Held {
    [const { [const { AtomicU64::new(0) }; HOLDS] }; CORES]
}

#[cfg(not(test))]
static HELD: Held = none_held();
#[cfg(test)]
thread_local! {
    static OF_THREAD: &'static Held = Box::leak(Box::new(none_held()));
}
/// Those of a test, as its window is.
#[cfg(test)]
static HELD: crate::tests::per_thread::PerThread<Held> = crate::tests::per_thread::PerThread(&OF_THREAD);

/// Has the slot of `core`, this one, with this descriptor keep what it shows, instead of the one that was held so before.
#[inline(always)]
pub(super) fn hold(core: usize, hold: Hold, descriptor: u64) {
    // One that has slots has a number below that.
    if let Some([first, second]) = HELD.get(core % CORES) {
        match hold {
            Hold::First => first.store(descriptor, Ordering::Relaxed),
            Hold::Second => second.store(descriptor, Ordering::Relaxed),
        }
    }
}

/// The slots of a core.
pub fn of(core: usize) -> impl Iterator<Item = usize> {
    let first = core.wrapping_mul(OF_CORE);
    first..first.saturating_add(OF_CORE)
}

/// EL2's address of the physical address `at` in a slot that shows its block. A host's memory is where it is.
pub(super) fn reach(slot: usize, at: u64) -> u64 {
    if cfg!(target_os = "none") { window::address(slot) + (at & (SLOT - 1)) } else { at }
}

/// Has a slot of `core`, this one, show the block: the one that does, or else the next one in turn. That is never the slot that
/// was asked for last, so that two blocks can be used at once.
pub(super) fn show(core: usize, block: u64, purpose: Use) -> usize {
    let (descriptor, first) = (stage1::block(block, purpose), core.wrapping_mul(OF_CORE));
    let (entries, mut found) = (window::entries(first, OF_CORE), None);
    for (place, entry) in entries.iter().enumerate() {
        let shown = entry.load(Ordering::Relaxed);
        if shown == descriptor {
            found = Some(place);
            break;
        }
        // It is shown in one way at a time.
        if shown != 0 && shown & BLOCK == block {
            window::show(first.wrapping_add(place), 0);
        }
    }
    let place = found.unwrap_or_else(|| {
        let place = next(core, entries);
        window::show(first.wrapping_add(place), descriptor);
        place
    });
    if let Some(last) = LAST.get(core) {
        last.store(place as u8, Ordering::Relaxed);
    }
    first.wrapping_add(place)
}

/// Which of its slots, whose descriptors `entries` are, a core has show something else: none that is held, or was asked for last.
fn next(core: usize, entries: &[AtomicU64]) -> usize {
    let Some(((last, next), [first, second])) = LAST.get(core).zip(NEXT.get(core)).zip(HELD.get(core)) else {
        return 0;
    };
    let (first, second) = (first.load(Ordering::Relaxed), second.load(Ordering::Relaxed));
    let (last, mut place) = (usize::from(last.load(Ordering::Relaxed)), usize::from(next.load(Ordering::Relaxed)));
    // There are more than are held and were asked for last.
    for _ in 0..OF_CORE {
        let shown = entries.get(place).map_or(0, |entry| entry.load(Ordering::Relaxed));
        if place != last && (shown == 0 || shown != first && shown != second) {
            break;
        }
        place = place.wrapping_add(1) % OF_CORE;
    }
    next.store((place.wrapping_add(1) % OF_CORE) as u8, Ordering::Relaxed);
    place
}
