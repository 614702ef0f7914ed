//! EL2's own translation: identity and W^X. A VM's memory is not in it, but for what a core's window (`window.rs`) shows.

use aarch64_paging::{
    MapError,
    descriptor::{El23Attributes as Attributes, VirtualAddress},
    idmap::IdMap,
    paging::{El2, MemoryRegion},
};
use portcullis_arch::paging;
use portcullis_board::Range;
use spin::Mutex;

use super::window;

/// Level of the root table: 39-bit addresses.
const ROOT_LEVEL: usize = 1;

/// What a range of EL2's memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Instructions: read-only, executable.
    Text,
    /// Constants, the device tree, the bundle: read-only, never executable.
    ReadOnly,
    /// Data: writable, never executable.
    Data,
    /// The same past the caches: Normal memory, Non-cacheable. No core has a line of it in its caches for that it is mapped so.
    Uncached,
    /// Device registers: writable, never executable, Device-nGnRE.
    Device,
    /// Nothing: a guard page.
    Guard,
}

fn attributes(purpose: Use) -> Attributes {
    // Bit 6 (AP[1]) is RES1 in the EL2 regime.
    let valid = Attributes::VALID | Attributes::ACCESSED | Attributes::USER_RES1;
    let normal = valid | Attributes::ATTRIBUTE_INDEX_1 | Attributes::INNER_SHAREABLE;
    match purpose {
        Use::Text => normal | Attributes::READ_ONLY,
        Use::ReadOnly => normal | Attributes::READ_ONLY | Attributes::XN,
        Use::Data => normal | Attributes::XN,
        Use::Uncached => valid | Attributes::ATTRIBUTE_INDEX_2 | Attributes::INNER_SHAREABLE | Attributes::XN,
        Use::Device => valid | Attributes::ATTRIBUTE_INDEX_0 | Attributes::XN,
        Use::Guard => Attributes::empty(),
    }
}

/// EL2's translation tables.
pub struct Stage1 {
    map: IdMap<El2>,
}

impl Stage1 {
    /// Tables that map nothing.
    pub fn new() -> Self {
        Self { map: IdMap::new(ROOT_LEVEL, El2) }
    }

    /// Maps `range`, rounded out to whole pages, for `purpose`.
    ///
    /// # Errors
    ///
    /// [`MapError`] when the range lies beyond the addresses that are EL2's to map, up to 511 GiB, or a live mapping would have
    /// to change in a way that is not safe.
    pub fn map(&mut self, range: Range, purpose: Use) -> Result<(), MapError> {
        if range.end > window::range().start {
            return Err(MapError::AddressRange(VirtualAddress(range.end as usize)));
        }
        self.map.map_range(&MemoryRegion::new(range.start as usize, range.end as usize), attributes(purpose))
    }

    /// Physical address of the root table, for TTBR0_EL2.
    pub fn root(&self) -> u64 {
        self.map.root_address().0 as u64
    }
}

impl Default for Stage1 {
    fn default() -> Self {
        Self::new()
    }
}

static LIVE: Mutex<Option<Stage1>> = Mutex::new(None);

/// Makes `tables` EL2's own on this core; others take them over as they start.
///
/// # Safety
///
/// The tables must map everything that EL2 uses, at the addresses at which it is now.
pub unsafe fn install(mut tables: Stage1) {
    // SAFETY: the caller vouches for the tables.
    unsafe {
        // Nothing else is mapped there: `map` refuses it.
        window::attach(tables.root());
        paging::switch_el2(tables.root());
    }
    tables.map.mark_active();
    *LIVE.lock() = Some(tables);
}

/// Physical address of the live root table.
pub fn root() -> Option<u64> {
    LIVE.lock().as_ref().map(Stage1::root)
}

/// The descriptor of a block of the second level by which EL2 reaches the guest memory at `start`, a multiple of 2 MiB, as
/// `purpose`.
pub fn block(start: u64, purpose: Use) -> u64 {
    start | attributes(purpose).bits() as u64
}

/// Maps `range` of RAM at EL2 as writable memory, from now on. No other core runs yet: they take the tables over as they start.
///
/// # Errors
///
/// Those of [`Stage1::map`].
pub fn add(range: Range) -> Result<(), MapError> {
    set(range, Use::Data)
}

/// Maps the page at `page` at EL2 as writable memory while `work` runs; false if it cannot be mapped, and `work` did not run.
///
/// # Safety
///
/// The page must be RAM that EL2 has not mapped for anything else.
pub unsafe fn with_page(page: Range, work: &mut dyn FnMut()) -> bool {
    if set(page, Use::Data).is_err() {
        return false;
    }
    work();
    set(page, Use::Guard).is_ok()
}

fn set(range: Range, purpose: Use) -> Result<(), MapError> {
    change(range, purpose)?;
    paging::invalidate_el2();
    Ok(())
}

fn change(range: Range, purpose: Use) -> Result<(), MapError> {
    match LIVE.lock().as_mut() {
        Some(tables) => tables.map(range, purpose),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_both_writable_and_executable() {
        for purpose in [Use::Text, Use::ReadOnly, Use::Data, Use::Uncached, Use::Device] {
            let attributes = attributes(purpose);
            assert!(attributes.intersects(Attributes::READ_ONLY | Attributes::XN), "{purpose:?}");
        }
        assert!(!attributes(Use::Text).contains(Attributes::XN));
        assert!(!attributes(Use::Guard).contains(Attributes::VALID));
    }

    #[test]
    fn a_guard_page_can_be_cut_out_of_a_block() {
        let mut tables = Stage1::new();
        tables.map(Range::sized(0x4020_0000, 0x20_0000), Use::Data).unwrap();
        tables.map(Range::sized(0x4020_4000, 0x1000), Use::Guard).unwrap();
        let mut pages = 0;
        let region = MemoryRegion::new(0x4020_0000, 0x4040_0000);
        tables
            .map
            .walk_range(&region, &mut |range, descriptor, _| {
                pages += if descriptor.is_valid() && !descriptor.is_table_or_page() || descriptor.is_valid() {
                    range.len() / 4096
                } else {
                    0
                };
                Ok(())
            })
            .unwrap();
        assert_eq!(pages, 511);
    }

    #[test]
    fn addresses_beyond_the_tables_are_refused() {
        for start in [1 << 39, window::range().start, window::range().end - 0x1000, window::range().start - 0x800] {
            assert!(Stage1::new().map(Range::sized(start, 0x1000), Use::Data).is_err(), "{start:#x}");
        }
        Stage1::new().map(Range::sized(window::range().start - 0x1000, 0x1000), Use::Data).unwrap();
    }

    #[test]
    fn a_block_is_valid_and_no_table() {
        // Valid, a block; AttrIndx 1, AP[1], inner shareable, access flag, XN (Arm ARM, D8.3.1).
        assert_eq!(block(0x4020_0000, Use::Data), 0x4020_0000 | 1 | 1 << 2 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 54);
        // AttrIndx 2.
        assert_eq!(block(0x4020_0000, Use::Uncached), 0x4020_0000 | 1 | 2 << 2 | 1 << 6 | 3 << 8 | 1 << 10 | 1 << 54);
    }
}
