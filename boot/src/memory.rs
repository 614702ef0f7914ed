//! The board's RAM at boot: what is taken already, and EL2's own map of what it uses.

use portcullis_board::{Range, Regions, vm_memory};
use portcullis_core::memory::stage1::{Stage1, Use, install};
use portcullis_platform::{assemble, facts::Facts};

use crate::{heap, image, stop::Stop};

/// RAM that no one uses yet: not the image, not the device tree, not the bundle, not what firmware keeps. The firmware's own list of
/// what is `usable` counts more than the device tree's of what there is.
pub fn free(facts: &Facts, tree: Range, usable: Option<&Regions>) -> Result<Regions, Stop> {
    let mut free = usable.cloned().unwrap_or_default();
    let taken = [image::whole(), tree].into_iter().chain(facts.reserved.iter().chain(&facts.bundle).copied());
    for memory in facts.memory.iter().filter(|_| usable.is_none()) {
        free.add(*memory).map_err(|_| Stop::Fragmented)?;
    }
    // Whoever loaded the bundle may have known more of the memory than the device tree tells; nobody else would.
    if let Some(bundle) = facts.bundle.filter(|bundle| !free.iter().any(|free| free.contains(bundle))) {
        return Err(Stop::BundleOutside(bundle));
    }
    for range in taken.chain(assemble::firmware_memory(facts).iter().copied()) {
        // Whole pages: EL2's map knows no less.
        let pages = Range { start: range.start & !0xfff, end: range.end.saturating_add(0xfff) & !0xfff };
        free.remove(pages).map_err(|_| Stop::Fragmented)?;
    }
    Ok(free)
}

/// Takes the heap out of the free RAM, near the image if there is room.
pub fn heap(free: &mut Regions) -> Result<Range, Stop> {
    vm_memory::take_heap(free, heap::SIZE, image::whole().start).ok_or(Stop::NoRoom)
}

/// Makes EL2's own map and switches to it.
pub fn map(facts: &Facts, tree: Range, heap: Range, guards: &[Range]) -> Result<(), Stop> {
    let mut tables = Stage1::new();
    let mut map = |range: Range, purpose| tables.map(range, purpose).map_err(|_| Stop::Unmappable(range));
    map(image::text(), Use::Text)?;
    map(image::read_only(), Use::ReadOnly)?;
    map(image::data(), Use::Data)?;
    map(image::stacks(), Use::Data)?;
    map(heap, Use::Data)?;
    for guard in guards {
        map(*guard, Use::Guard)?;
    }
    map(tree, Use::ReadOnly)?;
    if let Some(bundle) = facts.bundle {
        map(bundle, Use::ReadOnly)?;
    }
    for device in assemble::ranges(facts) {
        map(device, Use::Device)?;
    }
    // SAFETY: everything that EL2 uses is mapped where it is: the image, the heap, the tree, the bundle and the devices.
    // The guard page below the boot stack lies between the two parts of the image and is in neither.
    unsafe { install(tables) };
    Ok(())
}
