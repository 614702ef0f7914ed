//! Offsets of the registers, and what some of them hold (virtio 1.2, table 4.1).

/// MagicValue, read-only: "virt".
pub const MAGIC: u64 = 0x000;
/// Version, read-only: 2.
pub const VERSION: u64 = 0x004;
/// DeviceID, read-only; 0 where there is none.
pub const DEVICE_ID: u64 = 0x008;
/// VendorID, read-only.
pub const VENDOR_ID: u64 = 0x00c;
/// DeviceFeatures, read-only: the half that DeviceFeaturesSel names.
pub const DEVICE_FEATURES: u64 = 0x010;
/// DeviceFeaturesSel.
pub const DEVICE_FEATURES_SEL: u64 = 0x014;
/// DriverFeatures: the half that DriverFeaturesSel names.
pub const DRIVER_FEATURES: u64 = 0x020;
/// DriverFeaturesSel.
pub const DRIVER_FEATURES_SEL: u64 = 0x024;
/// QueueSel: whose registers the other Queue registers are.
pub const QUEUE_SEL: u64 = 0x030;
/// QueueNumMax, read-only: how large the queue can be; 0: it is not there. (QueueSizeMax from virtio 1.3 on.)
pub const QUEUE_NUM_MAX: u64 = 0x034;
/// QueueNum: how large the driver has it.
pub const QUEUE_NUM: u64 = 0x038;
/// QueueReady.
pub const QUEUE_READY: u64 = 0x044;
/// QueueNotify: the number of a queue that has new chains.
pub const QUEUE_NOTIFY: u64 = 0x050;
/// InterruptStatus, read-only.
pub const INTERRUPT_STATUS: u64 = 0x060;
/// InterruptACK.
pub const INTERRUPT_ACK: u64 = 0x064;
/// Status.
pub const STATUS: u64 = 0x070;
/// QueueDescLow, and High behind it: the table of descriptors.
pub const QUEUE_DESC: u64 = 0x080;
/// QueueDriverLow, and High: the available ring.
pub const QUEUE_DRIVER: u64 = 0x090;
/// QueueDeviceLow, and High: the used ring.
pub const QUEUE_DEVICE: u64 = 0x0a0;
/// SHMLenLow, and High: all ones, since no device has shared memory.
pub const SHM_LEN: u64 = 0x0b0;
/// SHMBaseLow, and High: all ones, too.
pub const SHM_BASE: u64 = 0x0b8;
/// ConfigGeneration, read-only: another one when the configuration has changed.
pub const CONFIG_GENERATION: u64 = 0x0fc;
/// The configuration of the device.
pub const CONFIG: u64 = 0x100;

/// What MagicValue holds.
pub const MAGIC_VALUE: u32 = 0x7472_6976;
/// The one version that there is.
pub const VERSION_VALUE: u32 = 2;
/// VendorID: "PCUL".
pub const VENDOR_VALUE: u32 = 0x4c55_4350;

/// InterruptStatus: the device has given chains back.
pub const INTERRUPT_USED: u32 = 1 << 0;
/// InterruptStatus: the configuration has changed.
pub const INTERRUPT_CONFIG: u32 = 1 << 1;
