//! What a disk is.

use portcullis_virtio::mmio::Identity;

use super::features::offered;

/// Bytes of a sector, in which a driver counts whatever the size of a block is.
pub const SECTOR: u64 = 512;
/// Bytes of a disk's name as a driver can read it (virtio 1.2, section 5.2.6).
pub const NAME: usize = 20;
/// Requests that a disk's queue holds.
pub const QUEUE_SIZE: u16 = 128;
/// Buffers of data that one request can have.
const SEGMENTS: u32 = 126;
/// Sectors that are discarded or zeroed by one request at the most: 64 MiB.
pub(super) const MOST_SECTORS: u32 = (64 << 20) / SECTOR as u32;

/// A disk's size and properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Its bytes.
    pub(super) size: u64,
    /// Bytes of a block, the least that is read or written.
    pub(super) block: u32,
    /// It cannot be written.
    pub(super) read_only: bool,
    /// Its name, with zeros behind it.
    pub(super) name: [u8; NAME],
}

impl Geometry {
    /// A disk of `size` bytes in blocks of `block`. None: a block is neither 512 nor 4096 bytes, or the size is not so many
    /// blocks, or the name is longer than [`NAME`] bytes.
    pub fn new(name: &str, size: u64, block: u32, read_only: bool) -> Option<Self> {
        let sound = matches!(block, 512 | 4096) && size > 0 && size.is_multiple_of(u64::from(block));
        let mut bytes = [0; NAME];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        sound.then_some(Self { size, block, read_only, name: bytes })
    }

    /// Bytes of a block.
    pub const fn block(&self) -> u32 {
        self.block
    }

    /// Whether it cannot be written.
    pub const fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// What its driver is shown first.
    pub const fn identity(&self) -> Identity<1> {
        const BLOCK: u32 = 2;
        Identity { device: BLOCK, features: offered(self.read_only), accepts: |_| true, queues: [QUEUE_SIZE] }
    }

    /// The device's configuration (section 5.2.4).
    pub fn config(&self) -> [u8; 60] {
        let mut bytes = [0; 60];
        let mut put = |at: usize, value: &[u8]| {
            if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
                place.copy_from_slice(value);
            }
        };
        put(0, &(self.size / SECTOR).to_le_bytes());
        put(12, &SEGMENTS.to_le_bytes());
        put(20, &self.block.to_le_bytes());
        // Discarding: sectors at once, ranges at once, alignment. Writing zeros: sectors, ranges, a hole will do.
        let alignment = self.block / SECTOR as u32;
        for (at, value) in [(36, MOST_SECTORS), (40, 1), (44, alignment), (48, MOST_SECTORS), (52, 1)] {
            put(at, &value.to_le_bytes());
        }
        put(56, &[1]);
        bytes
    }
}
