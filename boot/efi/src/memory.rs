//! The firmware's memory map: which RAM is the hypervisor's, and whether it is enough.

use portcullis_board::{Range, Regions, vm_memory};
use portcullis_bundle::{Bundle, room};
use portcullis_platform::facts::Facts;
use portcullis_platform::ram::{self, RamError};
use uefi_raw::Status;
use uefi_raw::table::boot::{MemoryAttribute, MemoryDescriptor, MemoryType};

use crate::firmware::Firmware;
use crate::refusal::Refusal;

/// Bytes of a page of the map's (UEFI 7.2).
const PAGE: u64 = 4096;
/// Most ranges that are kept of a map: what is taken out of them later divides some of them.
const MOST: usize = 16;
/// What the RAM must not be: needed by the firmware later, special, or lost when the power is.
const KEPT: MemoryAttribute =
    MemoryAttribute::RUNTIME.union(MemoryAttribute::SPECIAL_PURPOSE).union(MemoryAttribute::NON_VOLATILE);

/// Reads the newest map. Returns the RAM that is free once boot services are left, and the map's key. Of a map in too many
/// pieces the smallest are given up, but none in which `needed` lies.
///
/// # Errors
///
/// The firmware's status.
pub fn read(firmware: &mut impl Firmware, needed: Option<Range>) -> Result<(Regions, usize), Status> {
    let mut usable = Regions::new();
    let key = firmware.map(&mut |descriptor| {
        if let Some(range) = judge(descriptor) {
            add(&mut usable, range, needed);
        }
    })?;
    Ok((usable, key))
}

/// The range of a descriptor if the hypervisor may use it (UEFI 7.2, tables 7.5 and 7.6): RAM that is free already, or that boot
/// services and boot loaders need no longer, and that can be cached.
fn judge(descriptor: &MemoryDescriptor) -> Option<Range> {
    let is_free = matches!(
        descriptor.ty,
        MemoryType::CONVENTIONAL
            | MemoryType::LOADER_CODE
            | MemoryType::LOADER_DATA
            | MemoryType::BOOT_SERVICES_CODE
            | MemoryType::BOOT_SERVICES_DATA
    );
    let is_plain = descriptor.att.contains(MemoryAttribute::WRITE_BACK) && !descriptor.att.intersects(KEPT);
    if !is_free || !is_plain {
        return None;
    }
    Range::checked(descriptor.phys_start, descriptor.page_count.checked_mul(PAGE)?)
}

/// Adds a range; of too many the smallest are given up that have nothing of `needed`.
fn add(usable: &mut Regions, range: Range, needed: Option<Range>) {
    if usable.add(range).is_err() {
        return;
    }
    let is_needed = |range: &Range| needed.is_some_and(|needed| range.overlaps(&needed));
    while usable.iter().count() > MOST
        && let Some(smallest) = usable.iter().filter(|range| !is_needed(range)).min_by_key(Range::size)
        && usable.remove(smallest).is_ok()
    {}
}

/// Checks that `what` lies where the hypervisor can map it.
///
/// # Errors
///
/// [`Refusal::OutOfReach`].
pub fn check_reach(firmware: &impl Firmware, what: &'static str, range: Range) -> Result<(), Refusal> {
    let reach = firmware.reach();
    if range.end <= reach { Ok(()) } else { Err(Refusal::OutOfReach { what, at: range.start, reach }) }
}

/// Checks that there is room for the hypervisor and its VMs, by the rules that boot itself goes by. The `facts` tell where the
/// bundle lies.
///
/// # Errors
///
/// [`Refusal::Outside`], [`Refusal::Fragmented`], [`Refusal::NoHeap`], [`Refusal::NoRoom`].
pub fn check(
    usable: &Regions,
    facts: &Facts,
    image: Range,
    tree: Range,
    bundle: &Bundle<'static>,
) -> Result<(), Refusal> {
    let mut free = ram::free(facts, image, tree, Some(usable)).map_err(|error| match error {
        RamError::Fragmented => Refusal::Fragmented,
        RamError::BundleOutside(bundle) => Refusal::Outside(bundle),
    })?;
    for size in [vm_memory::HEAP, vm_memory::more_heap(bundle.vms().count())].into_iter().filter(|size| *size != 0) {
        vm_memory::take_heap(&mut free, size, image.start).ok_or(Refusal::NoHeap(size))?;
    }
    room::take(bundle, &mut free).map_err(Refusal::NoRoom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(ty: MemoryType, start: u64, pages: u64, att: MemoryAttribute) -> MemoryDescriptor {
        MemoryDescriptor { ty, phys_start: start, page_count: pages, att, ..MemoryDescriptor::default() }
    }

    #[test]
    fn only_memory_that_nobody_needs_is_used() {
        let plain = MemoryAttribute::WRITE_BACK | MemoryAttribute::UNCACHEABLE;
        let all = (0..=15).map(MemoryType);
        let used: Vec<u32> =
            all.filter(|ty| judge(&descriptor(*ty, 0x1000, 2, plain)).is_some()).map(|ty| ty.0).collect();
        assert_eq!(used, [1, 2, 3, 4, 7]);
        assert_eq!(judge(&descriptor(MemoryType::CONVENTIONAL, 0x1000, 2, plain)), Some(Range::sized(0x1000, 0x2000)));
        for att in [
            MemoryAttribute::UNCACHEABLE,
            plain | MemoryAttribute::RUNTIME,
            plain | MemoryAttribute::SPECIAL_PURPOSE,
            plain | MemoryAttribute::NON_VOLATILE,
        ] {
            assert_eq!(judge(&descriptor(MemoryType::CONVENTIONAL, 0x1000, 2, att)), None, "{att:?}");
        }
        for (start, pages) in [(0, u64::MAX), (u64::MAX - 0xfff, 2), (0x1000, u64::MAX / 0x1000)] {
            assert_eq!(
                judge(&descriptor(MemoryType::CONVENTIONAL, start, pages, plain)),
                None,
                "{start:#x} {pages:#x}"
            );
        }
    }

    #[test]
    fn the_largest_ranges_are_kept() {
        let mut usable = Regions::new();
        // As many as a server's map may have, none beside another, the larger ones last.
        for number in 1..200u64 {
            add(&mut usable, Range::sized(number << 30, number << 20), None);
        }
        let kept = |usable: &Regions| usable.iter().map(|range| range.size() >> 20).collect::<Vec<_>>();
        assert_eq!(kept(&usable), (200 - MOST as u64..200).collect::<Vec<_>>());
        // What is needed is not given up, not even in the small pieces that it has before they touch.
        let needed = Range::sized((3 << 30) + 0x1000, 0x2000);
        for ranges in [1..200u64, 4..200] {
            let mut usable = Regions::new();
            let pieces = [Range::sized(3 << 30, 0x2000), Range::sized((3 << 30) + 0x2000, 0x1000)];
            let others = ranges.map(|number| Range::sized(number << 30, number << 20));
            let (before, after): (Vec<Range>, Vec<Range>) = others.partition(|range| range.start < 100 << 30);
            before
                .into_iter()
                .filter(|range| range.start != 3 << 30)
                .for_each(|range| add(&mut usable, range, Some(needed)));
            add(&mut usable, pieces[0], Some(needed));
            after.into_iter().for_each(|range| add(&mut usable, range, Some(needed)));
            add(&mut usable, pieces[1], Some(needed));
            assert!(usable.iter().any(|range| range.contains(&needed)), "{usable:?}");
            assert_eq!(usable.iter().count(), MOST);
        }
        // One that joins two counts as one.
        let mut usable = Regions::new();
        [(0, 1), (2, 1), (1, 1)]
            .into_iter()
            .for_each(|(start, size)| add(&mut usable, Range::sized(start, size), None));
        assert_eq!(usable.iter().collect::<Vec<_>>(), [Range { start: 0, end: 3 }]);
    }
}
