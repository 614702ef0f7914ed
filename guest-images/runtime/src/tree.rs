//! The device tree that the guest was started with.

use core::ffi::CStr;

use dtoolkit::fdt::Fdt;
use dtoolkit::{Node, Property};
use spin::Once;

static TREE: Once<&'static [u8]> = Once::new();

/// Takes the tree over, which must be one.
pub(crate) fn set(blob: &'static [u8]) {
    TREE.call_once(|| blob);
}

/// All of it.
pub fn blob() -> Option<&'static [u8]> {
    TREE.get().copied()
}

/// A property's value.
pub fn property(path: &str, name: &str) -> Option<&'static [u8]> {
    let blob = *TREE.get()?;
    let tree = Fdt::new(blob).ok()?;
    let node = tree.find_node(path)?;
    let property = node.properties().find(|property| property.name() == name)?;
    let start = (property.value().as_ptr() as usize).checked_sub(blob.as_ptr() as usize)?;
    blob.get(start..start.checked_add(property.value().len())?)
}

/// The first string of a property.
pub fn string(path: &str, name: &str) -> Option<&'static str> {
    CStr::from_bytes_until_nul(property(path, name)?).ok()?.to_str().ok()
}

/// Cell `index` of a property.
pub fn cell(path: &str, name: &str, index: usize) -> Option<u32> {
    let cells = property(path, name)?.as_chunks::<4>().0;
    cells.get(index).map(|cell| u32::from_be_bytes(*cell))
}

/// The first address in the `reg` of a node below the root, of two cells.
pub fn address(path: &str) -> Option<u64> {
    let (high, low) = (cell(path, "reg", 0)?, cell(path, "reg", 1)?);
    Some(u64::from(high) << 32 | u64::from(low))
}

/// The first interrupt of a node: its INTID, and whether it is edge-triggered.
pub fn interrupt(path: &str) -> Option<(u32, bool)> {
    let number = cell(path, "interrupts", 1)?;
    Some((number.checked_add(32)?, cell(path, "interrupts", 2)? == 1))
}
