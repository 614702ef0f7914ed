//! The map with which the image begins, until EL2's own tables are made: what is there, and no more, as a core may speculate on all
//! that is mapped. It is made before anything is known of the board: entry.S maps the image by pages, this adds blocks of 2 MiB.

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::{barrier, cpu};

/// Size of a page as a power of two.
const PAGE_SHIFT: u32 = 12;
/// Size of a block of the second level as a power of two.
const BLOCK_SHIFT: u32 = 21;
/// Number of bits of an address.
const ADDRESS_BITS: u32 = 39;
/// Bits 1:0 of a descriptor (Arm ARM, D8.3.1): a block; a table, or at the third level a page.
const BLOCK: u64 = 0b01;
const TABLE: u64 = 0b11;
/// Where the next table is.
const NEXT: u64 = 0xffff_ffff_f000;
/// AP[1]: RES1 at EL2. At EL1 it would open the memory to EL0.
const USER: u64 = 1 << 6;

/// What is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RAM: Normal, write-back, inner shareable.
    Memory,
    /// Devices: Device-nGnRE.
    Devices,
}

impl Kind {
    /// Attributes of a block or page that is written and never executed: XN, access flag, AP[1].
    const fn attributes(self) -> u64 {
        const NEVER: u64 = 1 << 54 | 1 << 10 | USER;
        match self {
            Self::Memory => NEVER | 0b11 << 8 | 1 << 2,
            Self::Devices => NEVER,
        }
    }
}

/// A table of any level.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Table([AtomicU64; 512]);

/// The map: its root, of the first level, and tables that are not in use, whatever they hold.
pub struct EarlyMap<'a> {
    root: &'a Table,
    spare: &'a [Table],
    used: &'a AtomicUsize,
}

impl<'a> EarlyMap<'a> {
    /// The map with this root. Of the spare tables the first `used` are in it.
    ///
    /// # Safety
    ///
    /// What the root's entries lead to must be such tables, at those addresses, for as long as this lives.
    pub const unsafe fn new(root: &'a Table, spare: &'a [Table], used: &'a AtomicUsize) -> Self {
        Self { root, spare, used }
    }

    /// Maps the blocks of 2 MiB in which the bytes from `start` to `end` lie, and where the image has a part of such a block, their
    /// pages. What is mapped stays as it is. False if a part is beyond the addresses that can be mapped, or no table is left.
    #[must_use]
    pub fn map(&self, start: u64, end: u64, kind: Kind) -> bool {
        if start >= end || end > 1 << ADDRESS_BITS {
            return false;
        }
        let user = if cpu::exception_level() == 1 { 0 } else { USER };
        let attributes = kind.attributes() & !USER | user;
        let mapped = (start >> BLOCK_SHIFT..=(end - 1) >> BLOCK_SHIFT).all(|block| {
            let Some(entry) = self.entry(block) else { return false };
            match entry.load(Ordering::Relaxed) {
                0 => entry.store(block << BLOCK_SHIFT | attributes | BLOCK, Ordering::Relaxed),
                descriptor if descriptor & TABLE == TABLE => {
                    let first = (start >> PAGE_SHIFT).max(block << (BLOCK_SHIFT - PAGE_SHIFT));
                    let last = (end - 1) >> PAGE_SHIFT;
                    let last = last.min((block << (BLOCK_SHIFT - PAGE_SHIFT)) | 0x1ff);
                    for page in first..=last {
                        if let Some(entry) = self.next(descriptor).0.get((page & 0x1ff) as usize)
                            && entry.load(Ordering::Relaxed) == 0
                        {
                            entry.store(page << PAGE_SHIFT | attributes | TABLE, Ordering::Relaxed);
                        }
                    }
                }
                _ => {}
            }
            true
        });
        barrier::dsb_ishst();
        barrier::isb();
        mapped
    }

    /// The entry of the second level for a block. None if there is no table for it and none left.
    fn entry(&self, block: u64) -> Option<&'a AtomicU64> {
        let above = self.root.0.get((block >> 9) as usize)?;
        if above.load(Ordering::Relaxed) == 0 {
            let table = self.spare.get(self.used.fetch_add(1, Ordering::Relaxed))?;
            table.0.iter().for_each(|entry| entry.store(0, Ordering::Relaxed));
            // The walk of another address may come by as soon as the table is there.
            barrier::dsb_ishst();
            above.store(core::ptr::from_ref(table).expose_provenance() as u64 | TABLE, Ordering::Relaxed);
        }
        self.next(above.load(Ordering::Relaxed)).0.get((block & 0x1ff) as usize)
    }

    /// The table that a descriptor leads to.
    fn next(&self, descriptor: u64) -> &'a Table {
        let table = core::ptr::with_exposed_provenance::<Table>((descriptor & NEXT) as usize);
        // SAFETY: descriptors of tables are from `entry`, or were there when `new` was promised what they lead to.
        unsafe { &*table }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    const GIB: u64 = 1 << 30;
    const MIB: u64 = 1 << 20;

    fn tables(count: usize) -> &'static [Table] {
        // What is not in use may hold anything.
        let full = |_| Table([const { AtomicU64::new(u64::MAX) }; 512]);
        Vec::leak((0..count).map(full).collect())
    }

    fn empty() -> &'static Table {
        Box::leak(Box::new(Table([const { AtomicU64::new(0) }; 512])))
    }

    fn map(root: &'static Table, spare: usize) -> EarlyMap<'static> {
        // SAFETY: what it leads to lives for ever.
        unsafe { EarlyMap::new(root, tables(spare), Box::leak(Box::default())) }
    }

    /// What a walk finds at an address: zero, or the attributes, the address taken out.
    fn walk(map: &EarlyMap, address: u64) -> u64 {
        let load = |table: &Table, shift: u32| table.0[(address >> shift) as usize & 0x1ff].load(Ordering::Relaxed);
        let mut found = load(map.root, 30);
        for shift in [BLOCK_SHIFT, PAGE_SHIFT] {
            if found & TABLE == TABLE {
                found = load(map.next(found), shift);
                if found & TABLE == BLOCK || shift == PAGE_SHIFT {
                    assert!(found == 0 || found & NEXT == address >> shift << shift, "{address:#x}: {found:#x}");
                }
            }
        }
        found & !NEXT
    }

    const NORMAL: u64 = 1 << 54 | 0x744;
    const DEVICE: u64 = 1 << 54 | 0x440;

    #[test]
    fn what_is_mapped_is_what_is_asked_for() {
        fake::set("currentel", 2 << 2);
        let map = map(empty(), 4);
        // A tree at the end of one GiB, devices in the next, and a port beside the tree.
        assert!(map.map(GIB - 5, GIB + 5, Kind::Memory));
        assert!(map.map(GIB - 8 * MIB, GIB - 8 * MIB + 0x1000, Kind::Devices));
        assert!(map.map(3 * GIB + 0xe00_0000, 3 * GIB + 0xe00_1000, Kind::Devices));
        let mapped =
            (0..4 * GIB).step_by(MIB as usize).filter_map(|at| Some((at, walk(&map, at))).filter(|f| f.1 != 0));
        let (memory, device) = (NORMAL | BLOCK, DEVICE | BLOCK);
        let expected = [
            (GIB - 8 * MIB, device),
            (GIB - 7 * MIB, device),
            (GIB - 2 * MIB, memory),
            (GIB - MIB, memory),
            (GIB, memory),
            (GIB + MIB, memory),
            (3 * GIB + 0xe00_0000, device),
            (3 * GIB + 0xe10_0000, device),
        ];
        assert_eq!(mapped.collect::<Vec<_>>(), expected);
        // What is there stays.
        assert!(map.map(GIB, GIB + 1, Kind::Devices));
        assert_eq!(walk(&map, GIB), memory);
    }

    #[test]
    fn beside_the_image_it_is_pages() {
        fake::set("currentel", 2 << 2);
        let (root, [second, third, ..]) = (empty(), tables(2)) else { unreachable!() };
        second.0.iter().chain(&third.0).for_each(|entry| entry.store(0, Ordering::Relaxed));
        let address = |table: &'static Table| core::ptr::from_ref(table).expose_provenance() as u64 | TABLE;
        root.0[1].store(address(second), Ordering::Relaxed);
        second.0[1].store(address(third), Ordering::Relaxed);
        // The image has the third page of the second block.
        const TEXT: u64 = 0x7c7;
        let image = GIB + 2 * MIB + 0x2000;
        third.0[2].store(image | TEXT, Ordering::Relaxed);
        let map = map(root, 0);
        assert!(map.map(image - 1, image + 0x1001, Kind::Memory));
        let found = [0, 0x1000, 0x2000, 0x3000, 0x4000].map(|page| walk(&map, GIB + 2 * MIB + page));
        assert_eq!(found, [0, NORMAL | TABLE, TEXT, NORMAL | TABLE, 0]);
        // As far as the block goes, and on in the next one.
        assert!(map.map(GIB + 4 * MIB - 1, GIB + 4 * MIB + 1, Kind::Memory));
        assert_eq!(walk(&map, GIB + 4 * MIB - 0x2000), 0);
        assert_eq!([4 * MIB - 0x1000, 4 * MIB].map(|at| walk(&map, GIB + at)), [NORMAL | TABLE, NORMAL | BLOCK]);
    }

    #[test]
    fn what_cannot_be_mapped_is_told() {
        fake::set("currentel", 2 << 2);
        let map = map(empty(), 1);
        for (start, end) in
            [(1 << 39, (1 << 39) + 8), ((1 << 39) - 8, (1 << 39) + 8), (u64::MAX - 8, u64::MAX), (8, 8), (8, 0)]
        {
            assert!(!map.map(start, end, Kind::Memory), "{start:#x}");
        }
        assert!(map.map((1 << 39) - 8, 1 << 39, Kind::Memory));
        assert!(!map.map(GIB, GIB + 8, Kind::Memory), "no table is left");
    }

    #[test]
    fn at_el1_nothing_is_el0_s() {
        fake::set("currentel", 1 << 2);
        let map = map(empty(), 1);
        assert!(map.map(GIB, GIB + 8, Kind::Memory));
        assert_eq!(walk(&map, GIB), NORMAL & !USER | BLOCK);
    }
}
