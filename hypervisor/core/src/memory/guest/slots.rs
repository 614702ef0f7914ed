//! The slots of a core: which block of 2 MiB each of them shows.

use core::sync::atomic::{AtomicU8, Ordering};

use crate::memory::stage1::{self, Use};
use crate::memory::window::{self, SLOT, SLOTS};

/// Slots of a core.
pub(super) const OF_CORE: usize = 4;
/// The bits of a descriptor that say which block it shows (Arm ARM, D8.3.1).
pub(super) const BLOCK: u64 = 0xffff_ffe0_0000;
/// Most cores that have slots.
pub(super) const CORES: usize = SLOTS / OF_CORE;

/// By core: which of its slots was asked for last, and which shows something else next.
static LAST: [AtomicU8; CORES] = [const { AtomicU8::new(0) }; CORES];
static NEXT: [AtomicU8; CORES] = [const { AtomicU8::new(0) }; CORES];

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
    let mut found = None;
    for (place, entry) in window::entries(first, OF_CORE).iter().enumerate() {
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
        let place = next(core);
        window::show(first.wrapping_add(place), descriptor);
        place
    });
    if let Some(last) = LAST.get(core) {
        last.store(place as u8, Ordering::Relaxed);
    }
    first.wrapping_add(place)
}

/// Which of its slots a core has show something else.
fn next(core: usize) -> usize {
    let Some((last, next)) = LAST.get(core).zip(NEXT.get(core)) else { return 0 };
    let mut place = next.load(Ordering::Relaxed);
    if place == last.load(Ordering::Relaxed) {
        place = place.wrapping_add(1);
    }
    let place = place % OF_CORE as u8;
    next.store(place.wrapping_add(1) % OF_CORE as u8, Ordering::Relaxed);
    place.into()
}
