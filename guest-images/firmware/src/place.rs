//! Where things lie in memory before the machine starts: physical addresses.

/// The hypervisor's image, at whose first byte it is entered: its text reaches into the next GiB, for which its early map has a
/// table.
pub const HYPERVISOR: u64 = 0x7ffc_0000;
/// The device tree that the hypervisor is given: the start of RAM, where QEMU puts it.
pub const TREE: u64 = 0x4000_0000;
/// The word that says how the firmware behaves, [`crate::mode::Setting::word`]; little-endian.
pub const MODE: u64 = 0x5ff0_0000;
