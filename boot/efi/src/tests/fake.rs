//! Firmware that a test has put together.

use core::fmt;

use portcullis_board::Range;
use uefi_raw::Status;
use uefi_raw::table::boot::{MemoryAttribute, MemoryDescriptor, MemoryType};
use uefi_raw::time::Time;

use crate::{Firmware, Path, Table};

/// The machine's RAM.
pub const RAM: Range = Range { start: 0x4000_0000, end: 0x8000_0000 };
/// Where the image lies in it.
pub const IMAGE: Range = Range { start: 0x6000_0000, end: 0x6010_0000 };

/// What it answers, and what it was asked.
pub struct Fake {
    pub level: u64,
    /// A host's addresses are high.
    pub reach: u64,
    pub has_crc32: bool,
    pub acpi: bool,
    pub tree: Option<&'static [u8]>,
    pub offer: Option<Result<&'static [u8], Status>>,
    pub options: Vec<u16>,
    /// Files by path.
    pub files: Vec<(String, Result<&'static [u8], Status>)>,
    /// What a loader has put into memory.
    pub loaded: Vec<(Range, &'static [u8])>,
    pub map: Vec<(MemoryType, Range)>,
    /// Why there is no map.
    pub no_map: Option<Status>,
    /// What its clock shows, and the counter then.
    pub time: Option<(Time, u64)>,
    /// How often something changes between a map and the attempt to leave.
    pub changes: usize,
    /// Why it is not left, whatever the key.
    pub stays: Option<Status>,
    /// Key of the newest map.
    pub key: usize,
    pub exits: usize,
    pub said: Vec<String>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            level: 2,
            reach: u64::MAX,
            has_crc32: true,
            acpi: false,
            tree: None,
            offer: None,
            options: Vec::new(),
            files: Vec::new(),
            loaded: Vec::new(),
            map: vec![
                (MemoryType::CONVENTIONAL, Range { end: 0x6000_0000, ..RAM }),
                (MemoryType::LOADER_CODE, IMAGE),
                (MemoryType::BOOT_SERVICES_DATA, Range { start: 0x6010_0000, ..RAM }),
                (MemoryType::RUNTIME_SERVICES_DATA, Range { start: 0x9000_0000, end: 0x9001_0000 }),
            ],
            no_map: None,
            time: None,
            changes: 0,
            stays: None,
            key: 1,
            exits: 0,
            said: Vec::new(),
        }
    }
}

impl Firmware for Fake {
    fn level(&self) -> u64 {
        self.level
    }

    fn reach(&self) -> u64 {
        self.reach
    }

    fn has_crc32(&self) -> bool {
        self.has_crc32
    }

    fn has(&self, table: Table) -> bool {
        match table {
            Table::Tree => self.tree.is_some(),
            Table::Acpi => self.acpi,
        }
    }

    fn tree(&self, longest: usize) -> Option<&'static [u8]> {
        self.tree.inspect(|tree| assert!(tree.len() <= longest))
    }

    fn offered(&mut self) -> Option<Result<&'static [u8], Status>> {
        self.offer
    }

    fn options(&self) -> &[u16] {
        &self.options
    }

    fn own_path(&self) -> Path {
        Path::new("\\EFI\\portcullis.efi".encode_utf16()).unwrap()
    }

    fn file(&mut self, path: &Path) -> Option<Result<&'static [u8], Status>> {
        let (end, name) = path.terminated().split_last().unwrap();
        assert_eq!(*end, 0);
        let name = String::from_utf16(name).unwrap();
        self.files.iter().find(|(file, _)| *file == name).map(|(_, content)| *content)
    }

    fn loaded(&self, range: Range) -> &'static [u8] {
        self.loaded.iter().find(|(place, _)| *place == range).unwrap().1
    }

    fn map(&mut self, each: &mut dyn FnMut(&MemoryDescriptor)) -> Result<usize, Status> {
        if let Some(status) = self.no_map {
            return Err(status);
        }
        for (ty, range) in &self.map {
            each(&MemoryDescriptor {
                ty: *ty,
                phys_start: range.start,
                page_count: range.size() / 4096,
                att: MemoryAttribute::WRITE_BACK,
                ..MemoryDescriptor::default()
            });
        }
        Ok(self.key)
    }

    fn time(&mut self) -> Option<(Time, u64)> {
        // After the first attempt to leave nobody may ask for it.
        assert_eq!(self.exits, 0);
        self.time
    }

    fn exit(&mut self, key: usize) -> Result<(), Status> {
        self.exits += 1;
        if let Some(status) = self.stays {
            return Err(status);
        }
        if let Some(left) = self.changes.checked_sub(1) {
            (self.changes, self.key) = (left, self.key + 1);
        }
        if key == self.key { Ok(()) } else { Err(Status::INVALID_PARAMETER) }
    }

    fn say(&mut self, line: fmt::Arguments<'_>) {
        // After the first attempt to leave nobody may write to the console.
        assert_eq!(self.exits, 0);
        self.said.push(line.to_string());
    }
}
