//! Where a disk of EL2's own has its bytes.

use core::fmt;

use portcullis_board::{Range, Regions, vm_memory};
use portcullis_links::disk::{Medium, Region};
use portcullis_stream::layout::PAGE;
use portcullis_virtio::Cursor;

use crate::cpu::physical_core::Core;
use crate::memory::guest::GuestMemory;
use crate::memory::window::SLOT;

/// Where the bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// In the bundle; they are only read.
    Image(&'static [u8]),
    /// In RAM that nobody else has.
    Scratch(Scratch),
}

/// RAM that was taken for a disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scratch {
    memory: Range,
    size: u64,
}

/// Why a VM cannot have a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// There is not as much RAM left.
    NoMemory {
        /// The disk.
        name: &'static str,
        /// Bytes that it wants.
        wanted: u64,
        /// Bytes that are left.
        free: u64,
    },
    /// The core has no way to reach it.
    OutOfReach(&'static str),
    /// It is no disk: its blocks, its size or its name.
    Geometry(&'static str),
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory { name, wanted, free } => {
                write!(f, "disk '{name}' wants {} MiB in one piece; {} MiB are free in all", wanted >> 20, free >> 20)
            }
            Self::OutOfReach(name) => write!(f, "the RAM of disk '{name}' cannot be reached to be set to zero"),
            Self::Geometry(name) => {
                write!(
                    f,
                    "disk '{name}' cannot be had: a disk has whole blocks of 512 or 4096 bytes, and names that are not too long"
                )
            }
        }
    }
}

impl core::error::Error for DiskError {}

impl Scratch {
    /// Takes RAM for `size` bytes of the disk called `name` out of what is `free`, and sets them to zero, on core `core`, on
    /// which this has to run.
    ///
    /// # Errors
    ///
    /// [`DiskError`].
    pub(super) fn take(name: &'static str, size: u64, free: &mut Regions, core: usize) -> Result<Self, DiskError> {
        let wanted = size.checked_next_multiple_of(SLOT).unwrap_or(u64::MAX);
        let memory = vm_memory::take(free, wanted, false);
        let memory = memory.ok_or_else(|| DiskError::NoMemory { name, wanted, free: free.free() })?;
        let scratch = Self { memory, size };
        let cleared = scratch.on(core).and_then(|mut all| all.fill(0, size as usize, 0).ok());
        cleared.map(|()| scratch).ok_or(DiskError::OutOfReach(name))
    }

    /// The RAM, from 0 on, as the core with this number reaches it, which this runs on.
    fn on(&self, core: usize) -> Option<GuestMemory> {
        // SAFETY: it was taken in whole blocks, for ever, and every caller runs on the core that it names. Nobody but EL2
        // reaches it, always as write-back memory, so that what one core writes the others read.
        unsafe { GuestMemory::new(core, 0, self.memory) }
    }
}

impl Store {
    /// Sets `most` bytes at the most to zero, from byte `start` on. Returns how many; none if there are no more, or nothing is
    /// kept.
    pub(super) fn clear(&self, start: u64, most: u64) -> u64 {
        let Self::Scratch(scratch) = self else { return 0 };
        let size = scratch.size.saturating_sub(start).min(most);
        let memory = Core::current().and_then(|here| scratch.on(here.index));
        // The range is inside, and every core has slots.
        let cleared = memory.and_then(|mut memory| memory.fill(start, size as usize, 0).ok());
        cleared.map_or(0, |()| size)
    }
}

impl Store {
    /// What it holds, as the core on which this runs reaches it, and how many bytes in whole pages: there is RAM behind all of
    /// them. None of what is not sent with a VM.
    pub(super) fn contents(&self) -> Option<(GuestMemory, u64)> {
        let Self::Scratch(scratch) = self else { return None };
        let memory = scratch.on(Core::current()?.index)?;
        Some((memory, scratch.size.checked_next_multiple_of(PAGE)?))
    }
}

impl Medium<GuestMemory> for Store {
    fn read(&mut self, offset: u64, guest: &mut GuestMemory, to: &mut Cursor<'_>, length: u32) -> bool {
        match self {
            Self::Image(bytes) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let bytes = bytes.get(start..).and_then(|rest| rest.get(..length as usize));
                bytes.is_some_and(|bytes| to.write(guest, bytes) == Ok(bytes.len()))
            }
            Self::Scratch(scratch) => scratch.with(|region| region.read(offset, guest, to, length)),
        }
    }

    fn write(&mut self, offset: u64, guest: &mut GuestMemory, from: &mut Cursor<'_>, length: u32) -> bool {
        match self {
            Self::Image(_) => false,
            Self::Scratch(scratch) => scratch.with(|region| region.write(offset, guest, from, length)),
        }
    }

    fn clear(&mut self, offset: u64, length: u32) -> bool {
        match self {
            Self::Image(_) => false,
            Self::Scratch(scratch) => scratch.with(|region| Medium::<GuestMemory>::clear(region, offset, length)),
        }
    }
}

impl Scratch {
    /// Does something with the RAM as this core reaches it; false if it does not.
    fn with(&self, act: impl FnOnce(&mut Region<GuestMemory>) -> bool) -> bool {
        let memory = Core::current().and_then(|here| self.on(here.index));
        memory.is_some_and(|memory| act(&mut Region { memory, start: 0 }))
    }
}
