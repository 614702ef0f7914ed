//! The early map of this image, in use until EL2's own tables are made.

use core::sync::atomic::AtomicUsize;

use portcullis_arch::early_map::{EarlyMap, Kind, Table};

/// Tables that entry.S has made.
const MADE: usize = 5;
/// Tables for what is added: the device tree and a serial port, each perhaps in two GiB, and the heap.
const SPARE: usize = 5;
/// All of them.
pub const TABLES: usize = MADE + SPARE;

unsafe extern "C" {
    static early_tables: [Table; TABLES];
}

static USED: AtomicUsize = AtomicUsize::new(0);

/// Maps the bytes from `start` to `end` as memory. False if they are beyond what can be mapped.
#[must_use]
pub fn map_memory(start: u64, end: u64) -> bool {
    map(start, end, Kind::Memory)
}

/// Maps the page around `address` as devices, unless it is mapped.
pub fn map_devices(address: u64) {
    // What cannot be mapped is not used by anybody that says so: the first access to it ends in a line, or in the dark.
    _ = map(address, address.saturating_add(1), Kind::Devices);
}

fn map(start: u64, end: u64, kind: Kind) -> bool {
    // SAFETY: entry.S has made the root and what it leads to; only this changes them, on the only core that runs.
    let [root, tables @ ..] = unsafe { &early_tables };
    let spare = tables.get(MADE - 1..).unwrap_or_default();
    // SAFETY: as above; the tables are part of the image.
    unsafe { EarlyMap::new(root, spare, &USED) }.map(start, end, kind)
}
