//! What a driver can do that the specification forbids.

use core::fmt;

use portcullis_devices::OutOfReach;

/// One of the three parts of a split virtqueue (virtio 1.2, section 2.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The table of descriptors.
    Descriptors,
    /// The available ring, which the driver writes.
    Available,
    /// The used ring, which the device writes.
    Used,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Descriptors => "descriptor table",
            Self::Available => "available ring",
            Self::Used => "used ring",
        }
    }
}

/// Why a device cannot go on with its driver: it gets DEVICE_NEEDS_RESET (virtio 1.2, section 2.1.2). What it says is the "why" of
/// the line that names VM, device and queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// QueueNum is no power of two, or more than QueueNumMax (section 2.7).
    Size {
        /// What it is.
        size: u32,
        /// What it may be at most.
        most: u16,
    },
    /// A part of the queue does not begin at a multiple of what it has to (section 2.7).
    Misaligned {
        /// The part.
        part: Part,
        /// Where it begins.
        address: u64,
        /// What this is to be a multiple of.
        alignment: u64,
    },
    /// A part of the queue is not in the guest's RAM.
    PartOutOfReach {
        /// The part.
        part: Part,
        /// Where it should be.
        range: OutOfReach,
    },
    /// More chains were made available than the queue has places for (section 2.7.13.3).
    Ahead {
        /// The index that the driver wrote.
        index: u16,
        /// The index of the chain that comes next.
        next: u16,
        /// The size of the queue.
        size: u16,
    },
    /// The available ring names a descriptor that is not in the table.
    HeadOutside {
        /// Its number.
        head: u16,
        /// The size of the table.
        size: u16,
    },
    /// A chain is made available that the device has not given back.
    HeadTwice {
        /// The number of its first descriptor.
        head: u16,
    },
    /// A descriptor's `next` is not in its table.
    NextOutside {
        /// The number.
        next: u16,
        /// The size of the table.
        size: u32,
    },
    /// A chain comes back to a descriptor of its own.
    Loop {
        /// The number of its first descriptor.
        head: u16,
    },
    /// A chain has more descriptors than the device takes: [`MAX_CHAIN`](crate::MAX_CHAIN), and less on some queues.
    TooLong {
        /// The number of its first descriptor.
        head: u16,
        /// Descriptors that it may have.
        most: usize,
    },
    /// A chain is of 4 GiB or more (section 2.7.5.2).
    TooLarge {
        /// The number of its first descriptor.
        head: u16,
    },
    /// A descriptor is of no bytes.
    Empty {
        /// The number of its chain's first descriptor.
        head: u16,
    },
    /// A descriptor that the device reads comes behind one that it writes (section 2.7.4.2).
    Order {
        /// The number of its chain's first descriptor.
        head: u16,
    },
    /// A descriptor is not all in the guest's RAM.
    OutOfReach(OutOfReach),
    /// A descriptor is indirect, and VIRTIO_F_INDIRECT_DESC was not negotiated (section 2.7.5.3.1).
    IndirectUnknown,
    /// A descriptor of an indirect table is indirect (section 2.7.5.3.1).
    IndirectTwice,
    /// A descriptor is indirect and has a next one (section 2.7.5.3.1).
    IndirectNext,
    /// An indirect table is of no descriptors, or not of whole ones (section 2.7.5.3.2).
    IndirectLength {
        /// Its bytes.
        length: u32,
    },
    /// A chain that the device has was changed since it was taken.
    Changed {
        /// The number of its first descriptor.
        head: u16,
    },
    /// DRIVER_OK without FEATURES_OK: a driver older than virtio 1.0.
    Legacy,
    /// A chain has too few bytes for what the device reads of it.
    Short {
        /// What is to be read.
        what: &'static str,
        /// Bytes that there are.
        length: u32,
        /// Bytes that there have to be.
        least: u32,
    },
    /// A chain has no room for what the device writes.
    Narrow {
        /// What is to be written.
        what: &'static str,
        /// Bytes that there are.
        length: u32,
        /// Bytes that there have to be.
        least: u32,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { size, most } => {
                write!(f, "its size is {size}; it has to be a power of two from 1 to {most}")
            }
            Self::Misaligned { part, address, alignment } => {
                write!(f, "its {} is at {address:#x}, which is no multiple of {alignment}", part.name())
            }
            Self::PartOutOfReach { part, range } => write!(f, "its {}: {range}", part.name()),
            Self::Ahead { index, next, size } => write!(
                f,
                "the index of its available ring is {index}, and the next chain is number {next}: more than its {size}"
            ),
            Self::HeadOutside { head, size } => {
                write!(f, "its available ring names descriptor {head}; its table has {size}")
            }
            Self::HeadTwice { head } => {
                write!(f, "its available ring names descriptor {head}, which the device still has")
            }
            Self::NextOutside { next, size } => write!(f, "a descriptor's next one is {next} in a table of {size}"),
            Self::Loop { head } => write!(f, "the chain from descriptor {head} on has no end"),
            Self::TooLong { head, most } => {
                write!(f, "the chain from descriptor {head} on has more than {most} descriptors")
            }
            Self::TooLarge { head } => write!(f, "the chain from descriptor {head} on has 4 GiB or more"),
            Self::Empty { head } => write!(f, "the chain from descriptor {head} on has a descriptor of no bytes"),
            Self::Order { head } => {
                write!(f, "the chain from descriptor {head} on has one that the device reads behind one that it writes")
            }
            Self::OutOfReach(range) => write!(f, "a descriptor: {range}"),
            Self::IndirectUnknown => {
                write!(f, "a descriptor is indirect, and VIRTIO_F_INDIRECT_DESC was not negotiated")
            }
            Self::IndirectTwice => write!(f, "a descriptor in an indirect table is indirect"),
            Self::IndirectNext => write!(f, "a descriptor is indirect and has a next one"),
            Self::IndirectLength { length } => {
                write!(f, "an indirect table has {length} bytes; it has to be a multiple of 16, and not 0")
            }
            Self::Changed { head } => {
                write!(f, "the chain from descriptor {head} on was changed while the device had it")
            }
            Self::Legacy => write!(f, "DRIVER_OK without FEATURES_OK: the driver has to know virtio 1.0 (Version 2)"),
            Self::Short { what, length, least } => {
                write!(f, "a chain has {length} bytes to read for {what}, which takes {least}")
            }
            Self::Narrow { what, length, least } => {
                write!(f, "a chain has {length} bytes to write for {what}, which takes {least}")
            }
        }
    }
}

impl core::error::Error for Fault {}

impl From<OutOfReach> for Fault {
    fn from(range: OutOfReach) -> Self {
        Self::OutOfReach(range)
    }
}
