//! Virtio devices: registers of the transport, and how far each queue is. What was negotiated is in both ends' memory, too; a
//! device's own state is beside it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Registers of a virtio device over MMIO, version [`VirtioTransport::VERSION`] (virtio 1.2, section 4.2.2).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct VirtioTransport {
    /// Version of this structure, and of the [`VirtioSetup`] of each queue.
    pub version: u32,
    /// DeviceID.
    pub device: u32,
    /// Status.
    pub status: u32,
    /// DeviceFeaturesSel.
    pub device_features_sel: u32,
    /// DriverFeaturesSel.
    pub driver_features_sel: u32,
    /// QueueSel.
    pub queue_sel: u32,
    /// InterruptStatus.
    pub interrupt: u32,
    /// ConfigGeneration.
    pub generation: u32,
    /// DriverFeatures, both halves.
    pub driver_features: u64,
}

impl VirtioTransport {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// Registers of one queue of a virtio device over MMIO.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct VirtioSetup {
    /// QueueNum.
    pub size: u32,
    /// QueueReady.
    pub ready: u32,
    /// QueueDescLow and QueueDescHigh.
    pub descriptors: u64,
    /// QueueDriverLow and QueueDriverHigh.
    pub available: u64,
    /// QueueDeviceLow and QueueDeviceHigh.
    pub used: u64,
}

impl VirtioSetup {
    /// A queue that was never set up.
    pub const NONE: Self = Self { size: 0, ready: 0, descriptors: 0, available: 0, used: 0 };
}

/// How far a device is in a split virtqueue, version [`Virtqueue::VERSION`] (virtio 1.2, section 2.7). Indices are free-running,
/// modulo 2^16.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Virtqueue {
    /// Version of this structure.
    pub version: u32,
    /// Index of the entry of the available ring that the device takes next.
    pub next: u32,
    /// Index of the entry of the used ring that the device writes next.
    pub used: u32,
    /// The used ring's index.
    pub published: u32,
    /// 1: the driver was told not to notify.
    pub silent: u32,
    /// Zero.
    pub reserved: u32,
    /// A bit for the first descriptor of each chain that the device has taken and not given back, the lowest bit of the first
    /// word for descriptor 0.
    pub taken: [u64; 4],
}

impl Virtqueue {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
    /// Stands for a queue that its driver does not use.
    pub const NONE: Self = Self { version: 0, next: 0, used: 0, published: 0, silent: 0, reserved: 0, taken: [0; 4] };
}
