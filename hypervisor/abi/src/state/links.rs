//! What connects a VM with others: the devices that it has for that.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::virtio::{VirtioSetup, VirtioTransport, Virtqueue};

/// What a VM needs in a virtio transport, version [`LinkNeeds::VERSION`]. Its driver has asked for this once, when it began.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct LinkNeeds {
    /// Version of this structure.
    pub version: u32,
    /// DeviceID.
    pub device: u32,
    /// What the device is like, by its kind: the MTU of a network; [`LinkNeeds::IMAGE`] and those that follow of a disk; how many
    /// ports a console has.
    pub kind: u32,
    /// CRC-32C of an image; 0 of anything else.
    pub sum: u32,
    /// Bytes of a disk; 0 of anything else.
    pub size: u64,
    /// Bytes of a disk's blocks; 0 of anything else.
    pub block: u32,
    /// 1: a disk that cannot be written.
    pub read_only: u32,
    /// The address of a network's port; zeros behind it, or of anything else.
    pub address: [u8; 8],
    /// The name of the network or the disk; zeros behind it. A console has none.
    pub name: [u8; 32],
}

impl LinkNeeds {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
    /// Stands for nothing.
    pub const NONE: Self = Self {
        version: Self::VERSION,
        device: 0,
        kind: 0,
        sum: 0,
        size: 0,
        block: 0,
        read_only: 0,
        address: [0; 8],
        name: [0; 32],
    };
    /// [`LinkNeeds::kind`] of a disk from an image.
    pub const IMAGE: u32 = 0;
    /// [`LinkNeeds::kind`] of a disk in RAM.
    pub const SCRATCH: u32 = 1;
    /// [`LinkNeeds::kind`] of a disk that another VM serves.
    pub const SERVED: u32 = 2;
    /// A network's DeviceID (virtio 1.2, section 5).
    pub const NETWORK: u32 = 1;
    /// A disk's DeviceID.
    pub const DISK: u32 = 2;
    /// A console's DeviceID.
    pub const CONSOLE: u32 = 3;
}

/// State of a port of a network, version [`Network::VERSION`]. Its queues are for what it receives, for what it sends, and for
/// commands; a frame that some of the others have already is in the second one as if none had.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Network {
    /// Version of this structure.
    pub version: u32,
    /// Status as its driver reads it (virtio 1.2, section 5.1.4).
    pub status: u32,
    /// Its registers.
    pub transport: VirtioTransport,
    /// Those of its queues.
    pub setups: [VirtioSetup; 3],
    /// How far its queues are; [`Virtqueue::NONE`] for one that its driver does not use.
    pub queues: [Virtqueue; 3],
}

impl Network {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
