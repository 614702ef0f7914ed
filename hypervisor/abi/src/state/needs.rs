//! What a saved VM needs of the machine that is to run it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::bundle::{IMPLEMENTATIONS_MAX, NAME_MAX};

/// The shape of a VM, version [`Needs::VERSION`]. Its firmware registers are a [`Firmware`](super::Firmware), what it was shown
/// of each CPU is a [`Cpu`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Needs {
    /// Version of this structure.
    pub version: u32,
    /// Number of vCPUs.
    pub vcpus: u32,
    /// Bytes of RAM.
    pub memory: u64,
    /// Where its RAM starts, in its own addresses.
    pub ram: u64,
    /// Where its page of PV time structures is, in its own addresses.
    pub pv_time: u64,
    /// What it sees of a GIC: 2 or 3.
    pub gic: u32,
    /// List registers that it needs: one more than the number of the last one in use.
    pub list_registers: u32,
    /// CNTFRQ_EL0.
    pub frequency: u32,
    /// Its devices: [`Needs::UART`] and those that follow.
    pub devices: u32,
    /// Its virtio transports with a device, a bit each.
    pub transports: u32,
    /// Ports of its console.
    pub ports: u32,
    /// Its name, for people to read; zeros behind it.
    pub name: [u8; NAME_MAX],
}

impl Needs {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
    /// Bit of [`Needs::devices`]: a PL011.
    pub const UART: u32 = 1 << 0;
    /// Bit of [`Needs::devices`]: a PL031.
    pub const RTC: u32 = 1 << 1;
    /// Bit of [`Needs::devices`]: a PL061.
    pub const GPIO: u32 = 1 << 2;
    /// Bit of [`Needs::devices`]: flash.
    pub const FLASH: u32 = 1 << 3;
}

/// What a VM has of flash, version [`FlashNeeds::VERSION`]. Firmware is not sent with the VM, which has it where it goes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FlashNeeds {
    /// Version of this structure.
    pub version: u32,
    /// CRC-32C of the file that the first bank has; 0 if it has none.
    pub sum: u32,
    /// Bytes of that file.
    pub first: u64,
    /// Bytes of the second bank.
    pub second: u64,
}

impl FlashNeeds {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// What a vCPU was shown of its CPU, and which one it has, version [`Cpu::VERSION`] (Arm ARM, D24.2).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Cpu {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of its core. It reads the same, unless there is an [`Identity`].
    pub implementation: [u64; 3],
    /// CTR_EL0.
    pub cache_type: u64,
    /// DCZID_EL0.
    pub zeroing: u64,
    /// S3_0_C0_C1_0 to S3_0_C0_C7_7, the ID registers, among them ID_AA64MMFR0_EL1 with PARange and the page sizes.
    pub features: [u64; 56],
}

impl Cpu {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// What a VM reads of which CPU it has where its manifest has it shown another one than its core, version [`Identity::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Identity {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// MIDR_EL1, REVIDR_EL1 and AIDR_EL1 as shown.
    pub shown: [u64; 3],
}

impl Identity {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// The CPU implementations that a VM was told of, version [`Implementations::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Implementations {
    /// Version of this structure.
    pub version: u32,
    /// Number of implementations.
    pub count: u32,
    /// MIDR_EL1, REVIDR_EL1 and AIDR_EL1 of each; zeros behind the last.
    pub list: [[u64; 3]; IMPLEMENTATIONS_MAX],
}

impl Implementations {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
