//! The early map: 1 GiB blocks, in use until EL2's own tables are made.

use core::sync::atomic::{AtomicU64, Ordering};

use portcullis_arch::barrier;

/// Size of a block as a power of two.
const BLOCK_SHIFT: u32 = 30;
/// A block of Normal write-back memory: attribute index 1, inner shareable, access flag, AP[1] RES1.
const NORMAL: u64 = 0x745;
/// A block of device memory, never executable: attribute index 0, access flag, AP[1] RES1.
const DEVICE: u64 = 1 << 54 | 0x441;

unsafe extern "C" {
    static early_table: [AtomicU64; 512];
}

/// Maps the GiB around `address` as memory, unless it is mapped.
pub fn map_memory(address: u64) {
    map(address, NORMAL);
}

/// Maps the GiB around `address` as devices, unless it is mapped.
pub fn map_devices(address: u64) {
    map(address, DEVICE);
}

fn map(address: u64, attributes: u64) {
    // SAFETY: the table is part of the image; entries are only ever added.
    let table = unsafe { &early_table };
    let index = address >> BLOCK_SHIFT;
    if let Some(entry) = table.get(index as usize)
        && entry.load(Ordering::Relaxed) == 0
    {
        entry.store(index << BLOCK_SHIFT | attributes, Ordering::Relaxed);
        barrier::dsb_ish();
        barrier::isb();
    }
}
