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
    pub memory_model: u64,
    pub acpi: bool,
    pub tree: Option<&'static [u8]>,
    pub offer: Option<Result<&'static [u8], Status>>,
    pub options: Vec<u16>,
    /// Files by path.
    pub files: Vec<(String, Result<&'static [u8], Status>)>,
    /// What a loader has put into memory.
    pub loaded: Vec<(Range, &'static [u8])>,
    pub map: Vec<(MemoryType, Range)>,
    /// The map when it is read again, this often later.
    pub later: Option<(usize, Vec<(MemoryType, Range)>)>,
    /// What was handed over as the bundle: the map has its pages, on the host.
    pub handed: Vec<Range>,
    /// What the map says of its pages.
    pub bundle_type: MemoryType,
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
            // Pages of 4 KiB and 64 KiB, not of 16 KiB; 48 bits.
            memory_model: 0x5,
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
            later: None,
            handed: Vec::new(),
            bundle_type: MemoryType::LOADER_DATA,
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

impl Fake {
    /// Notes that the memory at `bytes` is in use.
    fn hand_over(&mut self, bytes: &'static [u8]) {
        let (start, size) = (bytes.as_ptr() as u64, bytes.len() as u64);
        let pages = Range { start: start & !0xfff, end: (start + size).next_multiple_of(0x1000) };
        self.handed.push(pages);
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

    fn memory_model(&self) -> u64 {
        self.memory_model
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
        let offer = self.offer?;
        Some(offer.inspect(|bytes| self.hand_over(bytes)))
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
        let content = self.files.iter().find(|(file, _)| *file == name)?.1;
        Some(content.inspect(|bytes| self.hand_over(bytes)))
    }

    fn loaded(&mut self, range: Range) -> &'static [u8] {
        let bytes = self.loaded.iter().find(|(place, _)| *place == range).unwrap().1;
        self.hand_over(bytes);
        bytes
    }

    fn map(&mut self, each: &mut dyn FnMut(&MemoryDescriptor)) -> Result<usize, Status> {
        if let Some(status) = self.no_map {
            return Err(status);
        }
        if let Some((left, map)) = &mut self.later {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => self.map.clone_from(map),
            }
        }
        let handed = self.handed.iter().map(|range| (self.bundle_type, *range));
        for (ty, range) in &self.map.iter().copied().chain(handed).collect::<Vec<_>>() {
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
