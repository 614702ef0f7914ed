//! Which part of the board's RAM a VM gets. Boot goes by this rule, and so does a build that foresees what boot will say.

use crate::{Range, Regions};

/// Where to look for the RAM of a VM whose devices write to it, in this order. Where it lies is also where the VM sees it, so
/// not below what the VM has there; and as low as devices with few address lines need it.
const MASTERS: [Range; 3] = [from_devices(GIB), from_devices(4 * GIB), from_devices(u64::MAX)];
/// Where to look for the RAM of any other VM.
const ANYWHERE: [Range; 1] = [Range { start: 0, end: u64::MAX }];

const fn from_devices(end: u64) -> Range {
    Range { start: 0x1000_0000, end }
}

/// A block of the first level of EL2's and stage 2's tables.
const GIB: u64 = 1 << 30;
/// A block of the second level, and the unit of a VM's memory.
const BLOCK: u64 = 2 << 20;

/// What EL2 uses itself lies below this address, at which it maps nothing: the image, its heap, the device tree, the bundle,
/// devices. A VM's RAM may lie anywhere.
pub const EL2_END: u64 = 511 * GIB;

/// Bytes of EL2's heap that are taken before anything is known of VMs.
pub const HEAP: u64 = BLOCK;
/// VMs for which that is enough.
const VMS: usize = 8;

/// Bytes that are taken for it besides, once the number of VMs is known.
pub const fn more_heap(vms: usize) -> u64 {
    (vms.div_ceil(VMS).saturating_sub(1) as u64).saturating_mul(HEAP)
}

/// Takes `size` bytes for a VM out of the free RAM, in one piece; `masters`: its devices write to memory by themselves. None
/// if there is no such piece; nothing is changed then.
pub fn take(free: &mut Regions, size: u64, masters: bool) -> Option<Range> {
    let bounds: &[Range] = if masters { &MASTERS } else { &ANYWHERE };
    let aligns: &[u64] = if size >= GIB { &[GIB, BLOCK] } else { &[BLOCK] };
    let mut choices = aligns.iter().flat_map(|align| bounds.iter().map(move |bounds| (*align, *bounds)));
    choices.find_map(|(align, bounds)| free.allocate_within(size, align, bounds))
}

/// Where the cells of a VM's two banks of flash are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banks {
    /// Those of the first one, as far as its file goes, in whole blocks; none without a file.
    pub first: Option<Range>,
    /// Those of the second one, all of them.
    pub second: Range,
}

impl Banks {
    /// Bytes of memory that flash takes, whose first bank has a file of `first` bytes, and whose second one has `second`.
    pub const fn size(first: u64, second: u64) -> u64 {
        first.next_multiple_of(BLOCK).saturating_add(second)
    }

    /// Takes memory for flash out of the free RAM, whose first bank has a file of `first` bytes; zero: it has none; and whose
    /// second one has `second`, a multiple of 2 MiB. None if there are no such pieces; nothing is changed then.
    pub fn take(free: &mut Regions, first: u64, second: u64) -> Option<Self> {
        let mut left = free.clone();
        let second = take(&mut left, second, false)?;
        let first = match first {
            0 => None,
            size => Some(take(&mut left, size.next_multiple_of(BLOCK), false)?),
        };
        *free = left;
        Some(Self { first, second })
    }

    /// Both.
    pub fn iter(&self) -> impl Iterator<Item = Range> {
        self.first.into_iter().chain([self.second])
    }
}

/// Takes `size` bytes for EL2's heap, a multiple of 2 MiB, out of the free RAM, in the GiB of the image at `image` if there is
/// room.
pub fn take_heap(free: &mut Regions, size: u64, image: u64) -> Option<Range> {
    let near = Range::sized(image & !(GIB - 1), GIB);
    let reached = Range { start: 0, end: EL2_END };
    free.allocate_within(size, BLOCK, near).or_else(|| free.allocate_within(size, BLOCK, reached))
}

/// The most that [`take`] would give a VM whose devices do not write to memory.
pub fn largest(free: &Regions) -> u64 {
    let blocks = |range: Range| {
        let start = range.start.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
        (range.end & !(BLOCK - 1)).saturating_sub(start)
    };
    free.iter().map(blocks).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions(ranges: &[(u64, u64)]) -> Regions {
        let mut regions = Regions::new();
        ranges.iter().for_each(|(start, end)| regions.add(Range { start: *start, end: *end }).unwrap());
        regions
    }

    #[test]
    fn the_largest_piece_is_the_most_that_a_vm_gets() {
        for ranges in
            [&[(0x1000, 0x60_1000), (0x100_0000, 0x180_0000)][..], &[(0x20_0000, 0x40_0000)], &[(1, 0x3f_ffff)]]
        {
            let free = regions(ranges);
            let most = largest(&free);
            assert!(most == 0 || take(&mut free.clone(), most, false).is_some());
            assert_eq!(take(&mut free.clone(), most + BLOCK, false), None);
        }
    }

    #[test]
    fn what_is_large_has_the_large_blocks() {
        let mut free = regions(&[(0x4020_0000, 0x1_4000_0000)]);
        assert_eq!(take(&mut free, GIB, false).map(|range| range.start), Some(0x1_0000_0000));
        assert_eq!(take(&mut free, BLOCK, false).map(|range| range.start), Some(0xffe0_0000));
    }

    #[test]
    fn the_memory_of_masters_is_low() {
        let mut free = regions(&[(0, 0x3000_0000), (0x4000_0000, 0x1_4000_0000)]);
        assert_eq!(take(&mut free, BLOCK, true).map(|range| range.start), Some(0x2fe0_0000));
        assert_eq!(take(&mut free, 0x2000_0000, true).map(|range| range.start), Some(0xe000_0000));
    }

    #[test]
    fn flash_takes_its_file_and_a_whole_bank_or_nothing() {
        const BANK: u64 = 64 << 20;
        let mut free = regions(&[(0x4000_0000, 0x4440_0000)]);
        assert_eq!(Banks::take(&mut free.clone(), 0x40_0001, BANK), None);
        assert_eq!(free.free(), 0x440_0000);
        let banks = Banks::take(&mut free, 0x4_0000, BANK).unwrap();
        assert_eq!((banks.second.size(), banks.first.map(|first| first.size())), (BANK, Some(BLOCK)));
        assert_eq!(free.free(), 0x440_0000 - Banks::size(0x4_0000, BANK));
        assert!(!banks.second.overlaps(&banks.first.unwrap()) && banks.iter().all(|range| range.start % BLOCK == 0));
        let mut free = regions(&[(0x4000_0000, 0x4400_0000)]);
        assert_eq!(Banks::take(&mut free, 0, BANK).map(|banks| banks.first), Some(None));
        assert_eq!(free.free(), 0);
    }

    #[test]
    fn the_heap_is_near_the_image() {
        let mut free = regions(&[(0x4000_0000, 0x1_4000_0000)]);
        assert_eq!(take_heap(&mut free, BLOCK, 0x4020_0000).map(|range| range.start), Some(0x7fe0_0000));
        let mut elsewhere = regions(&[(0x4000_0000, 0x5000_0000)]);
        assert_eq!(take_heap(&mut elsewhere, BLOCK, 0x8_0000).map(|range| range.start), Some(0x4fe0_0000));
        // Never where EL2 cannot map it.
        let mut far = regions(&[(EL2_END - 2 * BLOCK, EL2_END - BLOCK), (EL2_END, EL2_END + GIB)]);
        assert_eq!(take_heap(&mut far, BLOCK, 0x8_0000).map(|range| range.start), Some(EL2_END - 2 * BLOCK));
        assert_eq!(take_heap(&mut far, BLOCK, 0x8_0000), None);
    }

    #[test]
    fn the_heap_is_as_large_as_the_system() {
        assert_eq!([0, 1, 8, 9, 16, 17, 32].map(more_heap), [0, 0, 0, BLOCK, BLOCK, 2 * BLOCK, 3 * BLOCK]);
        let mut free = regions(&[(0x4000_0000, 0x5000_0000)]);
        let (first, more) = (take_heap(&mut free, HEAP, 0x8_0000), take_heap(&mut free, more_heap(32), 0x8_0000));
        assert_eq!(more.map(|more| (more.size(), more.end)), first.map(|first| (3 * BLOCK, first.start)));
    }
}
