//! What tells a VM that it was restored (bindings `rng/microsoft,vmgenid.yaml`, `ptp/amazon,vmclock.yaml`).

use alloc::format;

use portcullis_abi::map;
use portcullis_tree::Writer;

use super::{EDGE_RISING, SPI};

/// Writes both nodes.
pub fn write(tree: &mut Writer) {
    tree.begin(&format!("vmgenid@{:x}", map::VM_GENERATION));
    tree.cells("interrupts", &[SPI, map::VM_GENERATION_INTID - 32, EDGE_RISING]);
    tree.numbers("reg", &[map::VM_GENERATION, map::VM_GENERATION_SIZE]);
    tree.string("compatible", "microsoft,vmgenid");
    tree.end();
    tree.begin(&format!("ptp@{:x}", map::VM_CLOCK));
    tree.cells("interrupts", &[SPI, map::VM_CLOCK_INTID - 32, EDGE_RISING]);
    tree.numbers("reg", &[map::VM_CLOCK, map::VM_CLOCK_SIZE]);
    tree.string("compatible", "amazon,vmclock");
    tree.end();
}
