//! The window through which EL2 reaches guest memory: the last GiB of its addresses, in slots of 2 MiB, each of which belongs
//! to one core. A core changes its own slots alone, without a lock, and tells no other core.
//!
//! Another core may remember a slot that is not its own, should it have speculated there; it never uses the address.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_arch::{barrier, paging};
use portcullis_board::Range;

/// Bytes of a slot: a block of the tables' second level.
pub const SLOT: u64 = portcullis_abi::bundle::MEMORY_UNIT;
/// Number of slots.
pub const SLOTS: usize = 512;

/// Bytes that a table of the second level covers, and an entry of the root.
const COVERED: u64 = SLOT * SLOTS as u64;
/// Where the window begins.
const BASE: u64 = (1 << paging::EL2_VA_BITS) - COVERED;
/// Bits 1:0 of a descriptor that leads to another table (Arm ARM, D8.3.1).
const TABLE: u64 = 0b11;

const _: () = assert!(SLOT == 2 << 20 && COVERED == 1 << 30 && BASE == portcullis_board::vm_memory::EL2_END);

/// A table of the second level.
#[repr(C, align(4096))]
struct Table {
    entries: [AtomicU64; SLOTS],
}

impl Table {
    /// A table that shows nothing.
    const fn new() -> Self {
        Self { entries: [const { AtomicU64::new(0) }; SLOTS] }
    }
}

#[cfg(not(test))]
static ENTRIES: Table = Table::new();
#[cfg(test)]
thread_local! {
    static OF_THREAD: &'static Table = Box::leak(Box::new(Table::new()));
}
/// The window of a test.
#[cfg(test)]
static ENTRIES: crate::tests::per_thread::PerThread<Table> = crate::tests::per_thread::PerThread(&OF_THREAD);

/// EL2's addresses of the window. Nothing else may be mapped there.
pub const fn range() -> Range {
    Range { start: BASE, end: BASE + COVERED }
}

/// Makes the window part of the tables whose root, of level 1, lies at `root`.
///
/// # Safety
///
/// `root` must be the address of such a table, to which nobody else writes meanwhile, and in which the window's entry is unused.
pub unsafe fn attach(root: u64) {
    let table = ENTRIES.entries.as_ptr() as u64;
    let entry = (root as *mut u64).wrapping_add((BASE / COVERED) as usize);
    // SAFETY: the entry lies in the table for which the caller vouches: it has one for each GiB of the addresses.
    unsafe { entry.write_volatile(table | TABLE) };
}

/// EL2's address of a slot.
pub const fn address(slot: usize) -> u64 {
    BASE + slot as u64 * SLOT
}

/// Where the descriptor of a slot stands; none: there is no such slot.
pub fn entry(slot: usize) -> Option<&'static AtomicU64> {
    ENTRIES.entries.get(slot)
}

/// Where the descriptors of `count` slots from `first` on stand; nothing if there are not so many.
pub fn entries(first: usize, count: usize) -> &'static [AtomicU64] {
    ENTRIES.entries.get(first..first.saturating_add(count)).unwrap_or_default()
}

/// The descriptor that is in a slot; zero if it shows nothing, or does not exist.
pub fn shown(slot: usize) -> u64 {
    ENTRIES.entries.get(slot).map_or(0, |entry| entry.load(Ordering::Relaxed))
}

/// Puts a descriptor into a slot of this core, by break-before-make (Arm ARM, D8.16.1); zero shows nothing.
pub fn show(slot: usize, descriptor: u64) {
    let Some(entry) = ENTRIES.entries.get(slot) else { return };
    let put = |descriptor| {
        entry.store(descriptor, Ordering::Relaxed);
        #[cfg(not(target_os = "none"))]
        portcullis_arch::fake::happens(portcullis_arch::fake::Event::Map(address(slot), descriptor));
    };
    if entry.load(Ordering::Relaxed) != 0 {
        put(0);
        paging::invalidate_el2_address_here(address(slot));
    }
    if descriptor != 0 {
        put(descriptor);
        // The walk sees it before anything that follows is looked up.
        barrier::dsb_ishst();
        barrier::isb();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_arch::fake::{self, Event};

    #[test]
    fn a_slot_is_broken_before_it_is_made() {
        let slot = SLOTS - 1;
        let maps = |descriptor| Event::Map(address(slot), descriptor);
        let make = |descriptor| [maps(descriptor), Event::Instruction("dsb ishst"), Event::Instruction("isb")];
        let broken = [maps(0), Event::Maintain("tlbi vae2", address(slot) as usize, 0)];
        fake::record();
        show(slot, 0x4020_0001);
        assert_eq!((shown(slot), fake::recorded()), (0x4020_0001, make(0x4020_0001).to_vec()));
        fake::record();
        show(slot, 0x8000_0001);
        assert_eq!((shown(slot), fake::recorded()), (0x8000_0001, [&broken[..], &make(0x8000_0001)].concat()));
        fake::record();
        show(slot, 0);
        assert_eq!((shown(slot), fake::recorded()), (0, broken.to_vec()));
    }

    #[test]
    fn the_window_is_the_last_entry_of_the_root() {
        let mut root = [0u64; 512];
        // SAFETY: it is this test's own, and as long as a root table.
        unsafe { attach(root.as_mut_ptr() as u64) };
        assert!(root.iter().take(511).all(|entry| *entry == 0));
        assert_eq!((root[511] & 0xfff, range().end), (TABLE, 1 << 39));
        assert_eq!((shown(SLOTS), address(0), address(SLOTS - 1) + SLOT), (0, range().start, range().end));
        show(SLOTS, 1);
    }
}
