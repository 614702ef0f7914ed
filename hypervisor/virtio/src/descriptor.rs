//! A descriptor, as it stands in a table.

use virtio_spec::virtq::DescF;

/// Bytes of a descriptor.
pub const SIZE: usize = 16;

const NEXT: u16 = DescF::NEXT.bits().to_ne();
const WRITE: u16 = DescF::WRITE.bits().to_ne();
const INDIRECT: u16 = DescF::INDIRECT.bits().to_ne();

/// A copy of a descriptor (virtio 1.2, section 2.7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Where its buffer is.
    pub address: u64,
    /// Bytes of it.
    pub length: u32,
    flags: u16,
    next: u16,
}

impl Descriptor {
    /// The descriptor of these words.
    #[inline]
    pub const fn of([address, rest]: [u64; 2]) -> Self {
        Self { address, length: rest as u32, flags: (rest >> 32) as u16, next: (rest >> 48) as u16 }
    }

    /// The number of the next one of its chain; none: it is the last.
    #[inline]
    pub const fn next(&self) -> Option<u16> {
        if self.flags & NEXT == 0 { None } else { Some(self.next) }
    }

    /// Whether it is the last one of its chain, and its buffer no table.
    #[inline]
    pub const fn is_alone(&self) -> bool {
        self.flags & (NEXT | INDIRECT) == 0
    }

    /// Whether the device may write to its buffer, and else may read it.
    #[inline]
    pub const fn is_writable(&self) -> bool {
        self.flags & WRITE != 0
    }

    /// Whether its buffer is a table of descriptors.
    #[inline]
    pub const fn is_indirect(&self) -> bool {
        self.flags & INDIRECT != 0
    }
}
