//! Where the parts of a queue are.

use portcullis_devices::OutOfReach;

use crate::descriptor;
use crate::fault::{Fault, Part};
use crate::memory::Shared;

/// Most chains that a queue can have.
pub const MAX_SIZE: u16 = 256;

/// Bytes of an entry of the available ring, and of an index.
const INDEX: u64 = 2;
/// Bytes of an entry of the used ring.
const ELEMENT: u64 = 8;
/// Bytes in front of the entries of either ring: flags and index.
const HEADER: u64 = 4;

/// Size and addresses of a split virtqueue, as the driver has set them (virtio 1.2, section 2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Chains that the queue can have, a power of two.
    pub size: u16,
    /// The table of descriptors.
    pub descriptors: u64,
    /// The available ring.
    pub available: u64,
    /// The used ring.
    pub used: u64,
}

impl Layout {
    /// Checks size and alignment, with a size of `most` at the most.
    ///
    /// # Errors
    ///
    /// [`Fault::Size`], [`Fault::Misaligned`].
    pub const fn check(&self, most: u16) -> Result<(), Fault> {
        if !self.size.is_power_of_two() || self.size > most || self.size > MAX_SIZE {
            return Err(Fault::Size { size: self.size as u32, most });
        }
        let parts = [
            (Part::Descriptors, self.descriptors, descriptor::SIZE as u64),
            (Part::Available, self.available, INDEX),
            (Part::Used, self.used, 4),
        ];
        let mut rest = parts.as_slice();
        while let [(part, address, alignment), others @ ..] = rest {
            if !address.is_multiple_of(*alignment) {
                return Err(Fault::Misaligned { part: *part, address: *address, alignment: *alignment });
            }
            rest = others;
        }
        Ok(())
    }

    /// Checks that each part is in the guest's RAM.
    ///
    /// # Errors
    ///
    /// [`Fault::PartOutOfReach`].
    pub fn reach<M: Shared>(&self, memory: &M) -> Result<(), Fault> {
        let size = u32::from(self.size);
        let rings = |entry: u64| (HEADER + INDEX) as u32 + entry as u32 * size;
        let parts = [
            (Part::Descriptors, self.descriptors, descriptor::SIZE as u32 * size),
            (Part::Available, self.available, rings(INDEX)),
            (Part::Used, self.used, rings(ELEMENT)),
        ];
        parts.into_iter().try_for_each(|(part, address, length)| {
            let check: Result<(), OutOfReach> = memory.check(address, length);
            check.map_err(|range| Fault::PartOutOfReach { part, range })
        })
    }

    /// Free-running index behind the last chain that the driver has made available.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    pub fn available<M: Shared>(&self, memory: &mut M) -> Result<u16, OutOfReach> {
        memory.load(self.available_index())
    }

    /// The place of a free-running index in a ring.
    const fn place(&self, index: u16) -> u64 {
        (index & self.size.wrapping_sub(1)) as u64
    }

    /// Address of the available ring's flags.
    pub(crate) const fn available_flags(&self) -> u64 {
        self.available
    }

    /// Address of the available ring's index.
    pub(crate) const fn available_index(&self) -> u64 {
        self.available.wrapping_add(INDEX)
    }

    /// Address of the available ring's entry with the free-running index `index`.
    pub(crate) const fn available_entry(&self, index: u16) -> u64 {
        self.available.wrapping_add(HEADER + INDEX * self.place(index))
    }

    /// Address of `used_event`: behind which used chain the driver is to be interrupted.
    pub(crate) const fn used_event(&self) -> u64 {
        self.available.wrapping_add(HEADER + INDEX * self.size as u64)
    }

    /// Address of the used ring's flags.
    pub(crate) const fn used_flags(&self) -> u64 {
        self.used
    }

    /// Address of the used ring's index.
    pub(crate) const fn used_index(&self) -> u64 {
        self.used.wrapping_add(INDEX)
    }

    /// Address of the used ring's entry with the free-running index `index`.
    pub(crate) const fn used_entry(&self, index: u16) -> u64 {
        self.used.wrapping_add(HEADER + ELEMENT * self.place(index))
    }

    /// Address of `avail_event`: behind which available chain the device is to be notified.
    pub(crate) const fn available_event(&self) -> u64 {
        self.used.wrapping_add(HEADER + ELEMENT * self.size as u64)
    }
}
