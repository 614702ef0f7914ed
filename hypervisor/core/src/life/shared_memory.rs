//! Memory that VMs share, as it is taken and mapped before any of them runs.

use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::map;
use portcullis_board::{Range, Regions, vm_memory};
use portcullis_bundle::links::{self, Sharer};

use crate::memory::guest::GuestMemory;
use crate::memory::stage2::{Access, Stage2};
use crate::memory::window::SLOT;
use crate::vm::state_pages::{STATE_PAGE, SharedEnd, SharedEnds};

/// Memory that VMs share, as the bundle describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// Bytes that are shared, beside the state pages; a multiple of the size of a page.
    pub size: u64,
    /// The guests have it in their caches.
    pub cached: bool,
    /// Who shares it, in the order of their state pages.
    pub sharers: Vec<Sharer>,
}

impl From<links::SharedMemory<'static>> for Description {
    fn from(memory: links::SharedMemory<'static>) -> Self {
        let links::SharedMemory { name, size, cached, .. } = memory;
        Self { name, size, cached, sharers: memory.sharers().collect() }
    }
}

/// Memory that was taken for VMs to share.
#[derive(Debug)]
pub struct SharedMemory {
    description: Description,
    memory: Range,
}

/// Why VMs cannot share memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharedMemoryError {
    /// There is not as much left.
    NoMemory {
        /// Its name.
        name: &'static str,
        /// Bytes that it wants.
        wanted: u64,
        /// Bytes that are left.
        free: u64,
    },
    /// The core has no way to reach it.
    OutOfReach(&'static str),
    /// It lies behind what a VM can be shown.
    Unmappable(&'static str),
}

impl fmt::Display for SharedMemoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoMemory { name, wanted, free } => write!(
                f,
                "shared memory '{name}' wants {} MiB in one piece; {} MiB are free in all",
                wanted >> 20,
                free >> 20
            ),
            Self::OutOfReach(name) => write!(f, "shared memory '{name}' cannot be reached to be set to zero"),
            Self::Unmappable(name) => write!(
                f,
                "shared memory '{name}' does not fit between {:#x} and {:#x}, where VMs have what they share; make it smaller",
                map::SHARED_MEMORY,
                map::SHARED_MEMORY_END
            ),
        }
    }
}

impl core::error::Error for SharedMemoryError {}

impl SharedMemory {
    /// Takes the memory out of what is `free`, and sets all of it to zero, on core `core`, on which this has to run.
    ///
    /// # Errors
    ///
    /// [`SharedMemoryError`].
    pub fn take(description: Description, free: &mut Regions, core: usize) -> Result<Self, SharedMemoryError> {
        let name = description.name;
        let wanted = description.shown().checked_next_multiple_of(SLOT).unwrap_or(u64::MAX);
        let memory = vm_memory::take(free, wanted, false).ok_or_else(|| SharedMemoryError::NoMemory {
            name,
            wanted,
            free: free.free(),
        })?;
        // SAFETY: it was just taken, in whole blocks, and the caller vouches for the core.
        let cleared = unsafe { GuestMemory::new(core, 0, memory) };
        let cleared = cleared.and_then(|mut all| all.clear(0, memory.size() as usize).ok());
        cleared.ok_or(SharedMemoryError::OutOfReach(name))?;
        Ok(Self { description, memory })
    }

    /// Maps its parts at `ipa` for the sharer with the number `place`.
    fn map(&self, stage2: &mut Stage2, ipa: u64, place: usize, sharer: Sharer) -> Result<SharedEnd, SharedMemoryError> {
        let Self { description: Description { name, size, cached, sharers }, memory } = self;
        let mut at = 0;
        let mut show = |bytes: u64, writes: bool| {
            let range = Range::sized(memory.start.saturating_add(at), bytes);
            let shown = stage2.map(ipa.saturating_add(at), range, Access::Shared { writes, cached: *cached });
            at = at.saturating_add(bytes);
            shown.map_err(|_| SharedMemoryError::Unmappable(name))
        };
        for page in 0..sharers.len() {
            show(STATE_PAGE, page == place)?;
        }
        show(*size, sharer.writes)?;
        Ok(SharedEnd { name, ipa, memory: *memory, size: at, place, cached: *cached })
    }
}

impl Description {
    /// Bytes that a VM is shown.
    fn shown(&self) -> u64 {
        links::shown(self.size, self.sharers.len())
    }
}

/// Maps what the VM with the number `vm` shares, one behind the other. Nothing else of it may lie in `taken`.
///
/// # Errors
///
/// [`SharedMemoryError`].
pub(super) fn share(
    shared: &[SharedMemory],
    vm: usize,
    stage2: &mut Stage2,
    taken: &[Range],
) -> Result<SharedEnds, SharedMemoryError> {
    let mut ends = SharedEnds::new();
    let mut ipa = map::SHARED_MEMORY;
    for memory in shared {
        let sharers = memory.description.sharers.iter().enumerate();
        let Some((place, sharer)) = sharers.into_iter().find(|(_, sharer)| sharer.vm == vm) else { continue };
        let size = memory.memory.size();
        // RAM of a VM that is trusted with DMA, or registers of a device, may be anywhere.
        while let Some(other) = taken.iter().find(|taken| taken.overlaps(&Range::sized(ipa, size))) {
            ipa = other.end.checked_next_multiple_of(SLOT).unwrap_or(u64::MAX);
        }
        if ipa.checked_add(size).is_none_or(|end| end > map::SHARED_MEMORY_END) {
            return Err(SharedMemoryError::Unmappable(memory.description.name));
        }
        ends.push(memory.map(stage2, ipa, place, *sharer)?);
        ipa = ipa.saturating_add(size);
    }
    Ok(ends)
}
