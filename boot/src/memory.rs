//! The board's RAM at boot: what is taken already, and EL2's own map of what it uses.

use portcullis_board::{Range, Regions, vm_memory};
use portcullis_core::memory::stage1::{self, Stage1, Use, install};
use portcullis_platform::ram::{self, RamError};
use portcullis_platform::{assemble, facts::Facts};

use crate::{heap, image, stop::Stop};

/// RAM that no one uses yet. The firmware's own list of what is `usable` counts more than the device tree's of what there is.
pub fn free(facts: &Facts, tree: Range, usable: Option<&Regions>) -> Result<Regions, Stop> {
    ram::free(facts, image::whole(), tree, usable).map_err(|error| match error {
        RamError::Fragmented => Stop::Fragmented,
        RamError::BundleOutside(bundle) => Stop::BundleOutside(bundle),
    })
}

/// Takes the heap out of the free RAM, near the image if there is room.
pub fn heap(free: &mut Regions) -> Result<Range, Stop> {
    vm_memory::take_heap(free, heap::SIZE, image::whole().start).ok_or(Stop::NoRoom(heap::SIZE))
}

/// Gives the heap more memory, if it is to have more for so many VMs.
pub fn more_heap(free: &mut Regions, vms: usize) -> Result<(), Stop> {
    let size = vm_memory::more_heap(vms);
    if size == 0 {
        return Ok(());
    }
    let more = vm_memory::take_heap(free, size, image::whole().start).ok_or(Stop::NoRoom(size))?;
    stage1::add(more).map_err(|_| Stop::Unmappable(more))?;
    // SAFETY: the memory was just taken out of the free RAM and is mapped.
    unsafe { heap::add(more) };
    Ok(())
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
