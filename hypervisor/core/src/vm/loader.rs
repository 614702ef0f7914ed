//! Puts a VM's images where they belong in its RAM.

use core::fmt;
use core::sync::atomic::Ordering;

use portcullis_abi::function;
use portcullis_arch::cache;
use portcullis_gate::Register;

use super::Vm;
use crate::guest_tree::GuestTree;
use crate::image::{ImageError, Region};
use crate::interface;
use crate::memory::{regions::Range, stage1};

/// Where a loaded guest starts, in its own addresses.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// First instruction.
    pub kernel: u64,
    /// Device tree.
    pub tree: u64,
}

/// Why a guest could not be loaded.
#[derive(Clone, Copy, Debug)]
pub enum LoadError {
    /// The images do not fit.
    Image(ImageError),
    /// No device tree could be made.
    Tree,
    /// A part lies outside the VM's RAM, or cannot be mapped.
    Memory(Region),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Tree => write!(f, "its device tree cannot be made; the command line must not hold a NUL"),
            Self::Memory(region) => {
                write!(f, "{:#x} bytes at {:#x} are not within its memory", region.size, region.address)
            }
        }
    }
}

impl Vm {
    /// Copies kernel, initial RAM disk and device tree from the bundle into the VM's RAM.
    ///
    /// # Errors
    ///
    /// [`LoadError`]: what does not fit.
    pub fn load(&self) -> Result<Entry, LoadError> {
        let config = &self.config;
        let layout = config.layout(self.ram).map_err(LoadError::Image)?;
        if self.loaded.swap(true, Ordering::Relaxed) {
            self.forget_cached()?;
        }
        self.copy(layout.kernel, config.kernel)?;
        if let (Some(region), Some(initrd)) = (layout.initrd, config.initrd) {
            self.copy(region, initrd)?;
        }
        match config.dtb {
            Some(dtb) => self.copy(layout.dtb, dtb)?,
            None => {
                let tree = GuestTree {
                    memory: Region { address: self.ram, size: self.memory.size() },
                    vcpus: config.cores.as_slice().len(),
                    cmdline: config.cmdline,
                    initrd: layout.initrd,
                    conduits: config.conduits,
                    psci: u32::try_from(self.row.get(Register::PsciVersion)).unwrap_or(function::PSCI_VERSION_0_2),
                    gic: interface::version(),
                    devices: &self.devices,
                };
                self.copy(layout.dtb, &tree.build().map_err(|_| LoadError::Tree)?)?;
            }
        }
        Ok(Entry { kernel: layout.entry(), tree: layout.dtb.address })
    }

    /// Writes all of the VM's RAM back from the caches: the guest starts with its caches off, and a line of its former life
    /// must not come over what it writes then.
    fn forget_cached(&self) -> Result<(), LoadError> {
        const PIECE: u64 = 32 << 20;
        let mut start = self.memory.start;
        while start < self.memory.end {
            let piece = Range { start, end: start.saturating_add(PIECE).min(self.memory.end) };
            // SAFETY: as in `copy`.
            let done = unsafe {
                stage1::with_guest_memory(piece, |memory| cache::clean(memory.as_ptr() as usize, memory.len()))
            };
            done.map_err(|_| LoadError::Memory(Region { address: piece.start, size: piece.size() }))?;
            start = piece.end;
        }
        Ok(())
    }

    /// Copies `bytes` to the start of `region`, seen by a guest whose caches are off. What the region has beyond them, a
    /// kernel's BSS, is the guest's own to clear.
    fn copy(&self, region: Region, bytes: &[u8]) -> Result<(), LoadError> {
        let region = Region { size: bytes.len() as u64, ..region };
        let range = self.physical(region.address, region.size).ok_or(LoadError::Memory(region))?;
        // SAFETY: the range is this VM's RAM; none of its vCPUs runs while it is loaded, by its first vCPU's core alone.
        let copied = unsafe {
            stage1::with_guest_memory(range, |memory| {
                memory.copy_from_slice(bytes);
                cache::publish(memory.as_ptr() as usize, memory.len());
            })
        };
        copied.map_err(|_| LoadError::Memory(region))
    }
}
