//! Features that are the same for every device.

use virtio_spec::F;

/// VIRTIO_F_VERSION_1: the driver goes by virtio 1.0 or later. A device here has no other way.
pub const VERSION_1: u64 = F::VERSION_1.bits().to_ne() as u64;
/// VIRTIO_F_INDIRECT_DESC.
pub const INDIRECT_DESC: u64 = F::INDIRECT_DESC.bits().to_ne() as u64;
/// VIRTIO_F_EVENT_IDX.
pub const EVENT_IDX: u64 = F::EVENT_IDX.bits().to_ne() as u64;

/// What every device offers.
pub const EVERY: u64 = VERSION_1 | INDIRECT_DESC | EVENT_IDX;

/// What was negotiated for the queues of a device (virtio 1.2, chapter 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// VIRTIO_F_INDIRECT_DESC: chains may end in an indirect table.
    pub indirect: bool,
    /// VIRTIO_F_EVENT_IDX: each side names the index from which on it is to be told.
    pub event_index: bool,
}

impl Features {
    /// Those in the features that a driver accepted.
    pub const fn new(accepted: u64) -> Self {
        Self { indirect: accepted & INDIRECT_DESC != 0, event_index: accepted & EVENT_IDX != 0 }
    }
}
