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

/// State of a disk, version [`Disk::VERSION`]. What it has taken and not given back it does once more where it goes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Disk {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// Its registers.
    pub transport: VirtioTransport,
    /// Those of its queue.
    pub setup: VirtioSetup,
    /// How far its queue is.
    pub queue: Virtqueue,
}

impl Disk {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of a console but for its ports, version [`Console::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Console {
    /// Version of this structure.
    pub version: u32,
    /// [`Console::READY`].
    pub flags: u32,
    /// Its registers.
    pub transport: VirtioTransport,
    /// Those of the queues of messages: of buffers for those to the driver, and of the driver's.
    pub setups: [VirtioSetup; 2],
    /// How far these queues are.
    pub queues: [Virtqueue; 2],
}

impl Console {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
    /// Bit of [`Console::flags`]: the driver knows of ports.
    pub const READY: u32 = 1 << 0;
}

/// State of a port of a console, version [`Port::VERSION`]. A chain of which the other end has some bytes is as if it had none.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Port {
    /// Version of this structure.
    pub version: u32,
    /// [`Port::ADDED`] and those that follow.
    pub flags: u32,
    /// Registers of its queues: of buffers for what it receives, and of what it sends.
    pub setups: [VirtioSetup; 2],
    /// How far these queues are.
    pub queues: [Virtqueue; 2],
}

impl Port {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
    /// Bit of [`Port::flags`]: the driver was told that there is such a port.
    pub const ADDED: u32 = 1 << 0;
    /// Bit of [`Port::flags`]: the driver has set it up.
    pub const READY: u32 = 1 << 1;
    /// Bit of [`Port::flags`]: the driver was told its name.
    pub const NAMED: u32 = 1 << 2;
    /// Bit of [`Port::flags`]: a program has it open.
    pub const OPEN: u32 = 1 << 3;
    /// Bit of [`Port::flags`]: the driver was told that the other end is open.
    pub const OTHER: u32 = 1 << 4;
}

/// The name of a port of a console, version [`PortNeeds::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct PortNeeds {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// The name; zeros behind it.
    pub name: [u8; 32],
}

impl PortNeeds {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// The wires at a VM's PL061, version [`WireNeeds::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct WireNeeds {
    /// Version of this structure.
    pub version: u32,
    /// Lines that the VM drives, a bit each.
    pub outputs: u32,
    /// By line: the name of its wire, and zeros behind it; nothing but zeros without one.
    pub names: [[u8; 32]; 8],
}

impl WireNeeds {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
