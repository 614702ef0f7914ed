//! Loading images into a VM that has none of its own, a piece at a time, from a buffer in the memory of the VM that manages it.
//!
//! With a store they go there, and the former ones stay until the new ones are whole, if both have room. Without one they go to
//! where they belong in the VM's RAM, of which nothing else is left by then.

use alloc::string::String;
use core::fmt;

use portcullis_arch::checksum;
use portcullis_bundle::image::{HEADER, ImageError, Kernel};
use portcullis_bundle::page_size::PageSize;
use portcullis_devices::{Memory, OutOfReach};
use portcullis_stream::Sum;
use portcullis_stream::images::{File, Head, Receive};
use portcullis_virtio::Cursor;

use crate::memory::guest::{GuestMemory, Way};
use crate::vm::Vm;
use crate::vm::images::{Images, Kept, Place, Target};
use crate::vm::report::Occasion;

/// Why images are not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unloadable {
    /// The kernel is wrong, or they do not fit into the VM's RAM.
    Image(ImageError),
    /// They have so many bytes, and the store so many.
    Store(u64, u64),
    /// The kernel works with pages that the VM's cores lack.
    Pages(PageSize),
    /// The memory, or the buffer, is out of reach.
    OutOfReach(OutOfReach),
}

impl Unloadable {
    /// Whether there is no room for them; else something is wrong with them.
    pub const fn is_room(&self) -> bool {
        matches!(
            self,
            Self::Store(..)
                | Self::Image(ImageError::TooLarge { .. } | ImageError::TreeLow { .. } | ImageError::TreeTooLarge(_))
        )
    }
}

impl From<OutOfReach> for Unloadable {
    fn from(range: OutOfReach) -> Self {
        Self::OutOfReach(range)
    }
}

impl fmt::Display for Unloadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(error) => error.fmt(f),
            Self::Store(wanted, size) => {
                write!(
                    f,
                    "kernel and initrd need {wanted:#x} bytes, and the store has {size:#x}; give it more (store = ...)"
                )
            }
            Self::Pages(pages) => {
                write!(f, "the kernel has pages of {pages}, which the VM's cores lack; take one with pages of 4 KiB")
            }
            Self::OutOfReach(OutOfReach { address, length }) => {
                write!(f, "{length:#x} bytes at {address:#x} are not within a VM's memory")
            }
        }
    }
}

/// Images that are coming, with the buffer from which they come.
pub struct Receiving<'a, 'c> {
    /// The VM.
    pub vm: &'a Vm,
    /// Its images.
    pub images: &'a Images,
    /// Where they go.
    pub target: &'a mut Target,
    /// The store, or the VM's RAM, as this core reaches it.
    pub memory: GuestMemory,
    /// The memory of the VM that has the buffer.
    pub buffer: &'a mut GuestMemory,
    /// What is left of the buffer.
    pub at: Cursor<'c>,
}

impl Sum for Receiving<'_, '_> {
    fn sum(sum: u32, bytes: &[u8]) -> u32 {
        checksum::crc32c(sum, bytes)
    }
}

impl Receive for Receiving<'_, '_> {
    type Error = Unloadable;

    fn available(&self) -> usize {
        self.at.left() as usize
    }

    fn take(&mut self, to: &mut [u8]) -> Result<(), Unloadable> {
        self.at.read(self.buffer, to)?;
        Ok(())
    }

    fn accept(&mut self, head: &Head, cmdline: &str, start: &[u8]) -> Result<(), Unloadable> {
        let Self { vm, images, target, .. } = self;
        let mut kept = Kept {
            start: [0; HEADER],
            kernel: head.kernel,
            initrd: head.initrd,
            cmdline: String::from(cmdline),
            place: Place::Ram,
        };
        kept.start.iter_mut().zip(start).for_each(|(place, byte)| *place = *byte);
        let layout = kept.layout(&vm.config, vm.ram).map_err(Unloadable::Image)?;
        // ID_AA64MMFR0_EL1, as the VM is shown it.
        if let Some(pages) = Kernel::of(start, head.kernel).map_err(Unloadable::Image)?.pages
            && !pages.is_in(vm.features.get().register(7, 0))
        {
            return Err(Unloadable::Pages(pages));
        }
        if images.has_store() {
            let wanted = kept.size();
            let (at, goes) = images.make_room(wanted).map_err(|size| Unloadable::Store(wanted, size))?;
            if goes {
                let line = "the store has no room for both: the images that it had are gone";
                vm.report(Occasion::Repeatable, format_args!("{}: {line}", vm.name()));
            }
            kept.place = Place::Store(at);
            (target.kernel, target.initrd) = (at, kept.initrd_at(at));
        } else {
            (target.kernel, target.initrd) = (layout.kernel.start, layout.initrd.map_or(0, |initrd| initrd.start));
        }
        target.kept = Some(kept);
        Ok(())
    }

    fn begin(&mut self, start: &[u8]) -> Result<(), Unloadable> {
        match self.images.has_store() {
            true => self.memory.copy_out(self.target.kernel, start)?,
            false => self.memory.place(self.target.kernel, start)?,
        }
        Ok(())
    }

    fn store(&mut self, file: File, offset: u64, length: usize, mut sum: u32) -> Result<u32, Unloadable> {
        let place = if file == File::Kernel { self.target.kernel } else { self.target.initrd };
        let (mut address, mut left) = (place.saturating_add(offset), length as u32);
        while let Some(from) = self.at.piece(left) {
            let (memory, buffer, length) = (&mut self.memory, &mut *self.buffer, from.length as usize);
            sum = match self.images.has_store() {
                true => memory.receive(Way::Kept, address, buffer, from.address, length, sum)?,
                false => memory.receive(Way::Past, address, buffer, from.address, length, sum)?,
            };
            address = address.saturating_add(from.length.into());
            left = left.saturating_sub(from.length);
        }
        Ok(sum)
    }
}
