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
use portcullis_stream::images::{Fault, File, Head, Receive, Receiver};
use portcullis_stream::{Progress, Sum};
use portcullis_virtio::Cursor;

use super::transfer::{PIECE, Piece, TransferError, say};
use crate::machine::Machine;
use crate::machine::transfer::{Job, Transfer, Way};
use crate::memory::guest::GuestMemory;
use crate::vm::Vm;
use crate::vm::images::{Images, Kept, Place, Target};
use crate::vm::loading::Contents;
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
                true => memory.keep(address, buffer, from.address, length, sum)?,
                false => memory.receive(address, buffer, from.address, length, sum)?,
            };
            address = address.saturating_add(from.length.into());
            left = left.saturating_sub(from.length);
        }
        Ok(sum)
    }
}

impl Machine {
    /// Begins to load images into `vm`, which does not run and whose manifest has none. So many bytes are announced.
    ///
    /// # Errors
    ///
    /// [`TransferError`].
    pub fn begin_load(&self, vm: &'static Vm, way: Way, total: u64) -> Result<(), TransferError> {
        let mut transfer = self.idle()?;
        let images = vm.images.as_ref().ok_or(TransferError::BadState)?;
        let _lock = vm.manager_lock().ok_or(TransferError::Busy)?;
        let in_ram = !images.has_store();
        let contents = vm.life.receive(in_ram)?;
        // What the guest's former life has left it may find again, as after any restart.
        let is_clean = contents == Contents::Life || contents == Contents::Zeros && !(in_ram && images.lose_ram());
        let clear = if in_ram && !is_clean { vm.memory.size() } else { 0 };
        transfer.target = Target { clear, ..Target::default() };
        transfer.receiver = Receiver::new(total);
        transfer.begin(Job::Load(vm.index), way);
        Ok(())
    }
}

/// Takes the next piece of the VM's images.
pub fn receive(transfer: &mut Transfer, vm: &Vm, piece: &mut Piece<'_>) -> Result<Progress, TransferError> {
    let images = vm.images.as_ref().ok_or(TransferError::BadState)?;
    let core = piece.buffer.core();
    let memory = if images.has_store() {
        images.store_on(core)
    } else if vm.aliases.are_gone() {
        vm.memory_on(core)
    } else {
        // Others have it mapped yet.
        return Err(TransferError::Busy);
    };
    let mut memory = memory.ok_or(TransferError::BadState)?;
    let Transfer { receiver, target, .. } = transfer;
    let left = target.clear.saturating_sub(target.cleared).min(PIECE);
    if left != 0 {
        let cleared = memory.clear(vm.ram.saturating_add(target.cleared), left as usize);
        cleared.map_err(|_| TransferError::BadState)?;
        target.cleared = target.cleared.saturating_add(left);
        return Ok(Progress::More);
    }
    let mut receiving = Receiving { vm, images, target, memory, buffer: piece.buffer, at: piece.at };
    let progress = receiver.push(&mut receiving);
    piece.at = receiving.at;
    match progress {
        Ok(Progress::Done) => {
            let kept = target.kept.take().ok_or(TransferError::BadState)?;
            let bytes = kept.kernel.saturating_add(kept.initrd);
            *images.kept() = Some(kept);
            vm.life.received(!images.has_store());
            vm.report(Occasion::Repeatable, format_args!("{}: has an image, {bytes} bytes", vm.name()));
            Ok(Progress::Done)
        }
        Ok(progress) => Ok(progress),
        Err(fault) => {
            say(transfer, vm, "not loaded", &fault);
            vm.life.received(false);
            match fault {
                Fault::Other(error) if error.is_room() => Err(TransferError::NoRoom),
                _ => Err(TransferError::Corrupt),
            }
        }
    }
}
