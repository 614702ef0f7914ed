//! What is asked of EFI firmware.

use core::fmt;

use portcullis_board::Range;
use uefi_raw::table::boot::MemoryDescriptor;
use uefi_raw::time::Time;
use uefi_raw::{Guid, Status, guid};

use crate::path::Path;

/// A table that the firmware's configuration table may list (UEFI 4.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The flattened device tree.
    Tree,
    /// ACPI's root pointer, version 2.0 or later.
    Acpi,
}

impl Table {
    /// Its GUID.
    pub const fn guid(self) -> Guid {
        match self {
            Self::Tree => guid!("b1b621d5-f19c-41a5-830b-d9152c69aae0"),
            Self::Acpi => guid!("8868e871-e4f1-11d3-bc22-0080c73c8881"),
        }
    }
}

/// EFI firmware, as far as it is used. Memory that it hands out stays as it is until the hypervisor owns it.
pub trait Firmware {
    /// The exception level that it runs at.
    fn level(&self) -> u64;

    /// The address below which the hypervisor can map what it uses itself.
    fn reach(&self) -> u64;

    /// Whether the CPU has the CRC32 instructions.
    fn has_crc32(&self) -> bool;

    /// ID_AA64MMFR0_EL1, which tells the pages that the CPU has.
    fn memory_model(&self) -> u64;

    /// Whether its configuration table lists `table`.
    fn has(&self, table: Table) -> bool;

    /// The device tree of its configuration table, as long as its header says, at most `longest` bytes: a slice that is empty
    /// if the table leads to no device tree of such a length. None without such a table.
    fn tree(&self, longest: usize) -> Option<&'static [u8]>;

    /// The initial RAM disk that a boot loader offers by LoadFile2, at the device path of Linux's vendor media. None if nobody
    /// offers one.
    fn offered(&mut self) -> Option<Result<&'static [u8], Status>>;

    /// The image's load options, UCS-2, perhaps with a zero at the end.
    fn options(&self) -> &[u16];

    /// The path of the image's file on its volume.
    fn own_path(&self) -> Path;

    /// The file of this path on the volume that the image came from. None if there is no such file, or no volume.
    fn file(&mut self, path: &Path) -> Option<Result<&'static [u8], Status>>;

    /// What a boot loader has put into `range`, of which the memory map says that it is RAM.
    fn loaded(&mut self, range: Range) -> &'static [u8];

    /// Shows `each` the descriptors of the memory map. Returns the map's key.
    ///
    /// # Errors
    ///
    /// The firmware's status.
    fn map(&mut self, each: &mut dyn FnMut(&MemoryDescriptor)) -> Result<usize, Status>;

    /// What its clock shows (GetTime, UEFI 8.3), and the physical counter just then. None if it cannot tell the time.
    fn time(&mut self) -> Option<(Time, u64)>;

    /// Leaves boot services with the key of the newest map (ExitBootServices, UEFI 7.4.6).
    ///
    /// # Errors
    ///
    /// The firmware's status: an invalid parameter if the map is no longer the newest.
    fn exit(&mut self, key: usize) -> Result<(), Status>;

    /// Writes a line to the firmware's console.
    fn say(&mut self, line: fmt::Arguments<'_>);
}
