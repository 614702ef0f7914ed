//! The board's RAM: which ranges are free, and the allocation of large contiguous pieces.

/// Most separate free ranges that are kept track of.
const MAX_RANGES: usize = 32;

/// A range of physical memory: `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Range {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

impl Range {
    /// The range of `size` bytes from `start`; saturates at the end of the address space.
    pub const fn sized(start: u64, size: u64) -> Self {
        Self { start, end: start.saturating_add(size) }
    }

    /// The range of `size` bytes from `start`; none if it reaches past the end of the address space.
    pub const fn checked(start: u64, size: u64) -> Option<Self> {
        match start.checked_add(size) {
            Some(end) => Some(Self { start, end }),
            None => None,
        }
    }

    /// Bytes in the range.
    pub const fn size(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether the two have a byte in common.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies within this one.
    pub const fn contains(&self, other: &Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Why a range could not be taken into account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyRanges;

/// The free ranges of RAM, in ascending order and disjoint.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    ranges: [Range; MAX_RANGES],
    used: usize,
}

impl Regions {
    /// No memory at all.
    pub const fn new() -> Self {
        Self { ranges: [Range { start: 0, end: 0 }; MAX_RANGES], used: 0 }
    }

    /// The free ranges.
    pub fn iter(&self) -> impl Iterator<Item = Range> + '_ {
        self.ranges.iter().take(self.used).copied()
    }

    /// Free bytes in all.
    pub fn free(&self) -> u64 {
        self.iter().map(|range| range.size()).sum()
    }

    /// Adds free memory; what overlaps with memory that is free already is counted once.
    ///
    /// # Errors
    ///
    /// [`TooManyRanges`] when the memory is in more pieces than can be kept track of; nothing is changed then.
    pub fn add(&mut self, range: Range) -> Result<(), TooManyRanges> {
        if range.size() == 0 {
            return Ok(());
        }
        let mut next = Self::new();
        // What is to be added, with what it touches, until its place in the order is found.
        let mut merged = Some(range);
        for old in self.iter() {
            match merged {
                Some(new) if old.end >= new.start && new.end >= old.start => {
                    merged = Some(Range { start: new.start.min(old.start), end: new.end.max(old.end) });
                    continue;
                }
                Some(new) if new.end < old.start => {
                    next.push(new)?;
                    merged = None;
                }
                _ => {}
            }
            next.push(old)?;
        }
        if let Some(new) = merged {
            next.push(new)?;
        }
        *self = next;
        Ok(())
    }

    /// Takes `range` out of the free memory, whatever of it was free.
    ///
    /// # Errors
    ///
    /// [`TooManyRanges`] when the memory is in more pieces than can be kept track of; nothing is changed then.
    pub fn remove(&mut self, range: Range) -> Result<(), TooManyRanges> {
        if range.size() == 0 {
            return Ok(());
        }
        let mut next = Self::new();
        for old in self.iter() {
            if !old.overlaps(&range) {
                next.push(old)?;
                continue;
            }
            if old.start < range.start {
                next.push(Range { start: old.start, end: range.start })?;
            }
            if range.end < old.end {
                next.push(Range { start: range.end, end: old.end })?;
            }
        }
        *self = next;
        Ok(())
    }

    /// Takes `size` contiguous bytes aligned to `align` (a power of two) out of the free memory, from the highest
    /// range that has them, so that low memory stays for what can only lie there.
    pub fn allocate(&mut self, size: u64, align: u64) -> Option<Range> {
        self.allocate_within(size, align, Range { start: 0, end: u64::MAX })
    }

    /// As [`allocate`](Self::allocate), but within `bounds`.
    pub fn allocate_within(&mut self, size: u64, align: u64, bounds: Range) -> Option<Range> {
        let mask = align.checked_sub(1)?;
        let found = self.iter().filter_map(|range| {
            let end = range.end.min(bounds.end);
            let start = end.checked_sub(size)? & !mask;
            (start >= range.start.max(bounds.start)).then_some(Range::sized(start, size))
        });
        let range = found.last()?;
        self.remove(range).ok()?;
        Some(range)
    }

    fn push(&mut self, range: Range) -> Result<(), TooManyRanges> {
        let slot = self.ranges.get_mut(self.used).ok_or(TooManyRanges)?;
        *slot = range;
        self.used += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn regions(ranges: &[(u64, u64)]) -> Regions {
        let mut regions = Regions::new();
        for &(start, end) in ranges {
            regions.add(Range { start, end }).unwrap();
        }
        regions
    }

    fn list(regions: &Regions) -> Vec<(u64, u64)> {
        regions.iter().map(|range| (range.start, range.end)).collect()
    }

    #[test]
    fn adjacent_and_overlapping_memory_is_one_range() {
        assert_eq!(list(&regions(&[(0x3000, 0x4000), (0x1000, 0x2000), (0x2000, 0x3800)])), [(0x1000, 0x4000)]);
    }

    #[test]
    fn removal_splits() {
        let mut regions = regions(&[(0x1000, 0x9000)]);
        regions.remove(Range { start: 0x3000, end: 0x4000 }).unwrap();
        regions.remove(Range { start: 0, end: 0x1800 }).unwrap();
        assert_eq!(list(&regions), [(0x1800, 0x3000), (0x4000, 0x9000)]);
        assert_eq!(regions.free(), 0x1800 + 0x5000);
    }

    #[test]
    fn allocation_is_aligned_from_the_top_and_gone_afterwards() {
        let mut regions = regions(&[(0x1000, 0x9800)]);
        let range = regions.allocate(0x2000, 0x2000).unwrap();
        assert_eq!((range.start, range.end), (0x6000, 0x8000));
        assert!(regions.iter().all(|free| !free.overlaps(&range)));
        assert_eq!(regions.allocate(0x8000, 0x1000), None);
        assert_eq!(regions.allocate(1, 0), None);
    }

    #[test]
    fn bounds_are_kept() {
        let mut regions = regions(&[(0, 0x10_0000)]);
        let bounds = Range { start: 0x4000, end: 0x8000 };
        let range = regions.allocate_within(0x1000, 0x1000, bounds).unwrap();
        assert!(bounds.contains(&range));
        assert_eq!(regions.allocate_within(0x5000, 0x1000, bounds), None);
    }

    #[test]
    fn too_many_pieces_change_nothing() {
        let mut regions = Regions::new();
        for n in 0..MAX_RANGES as u64 {
            regions.add(Range::sized(n * 0x2000, 0x1000)).unwrap();
        }
        let before = list(&regions);
        assert_eq!(regions.add(Range::sized(0x100_0000, 0x1000)), Err(TooManyRanges));
        assert_eq!(regions.remove(Range::sized(0x400, 0x100)), Err(TooManyRanges));
        assert_eq!(list(&regions), before);
    }

    #[test]
    fn random_adds_and_removes_agree_with_a_bitmap() {
        let mut seed = 1u64;
        let mut next = |n: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) % n
        };
        for _ in 0..if cfg!(miri) { 2 } else { 200 } {
            let mut regions = Regions::new();
            let mut bitmap = [false; 64];
            for _ in 0..20 {
                let (start, size) = (next(64), next(16));
                let range = Range { start, end: (start + size).min(64) };
                let add = next(2) == 0;
                let done = if add { regions.add(range) } else { regions.remove(range) };
                done.unwrap();
                bitmap[range.start as usize..range.end as usize].fill(add);
            }
            for (at, &free) in bitmap.iter().enumerate() {
                let covered = regions.iter().filter(|range| range.contains(&Range::sized(at as u64, 1))).count();
                assert_eq!(covered, usize::from(free));
            }
        }
    }
}
