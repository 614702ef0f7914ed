//! The emulated GIC, and the CPU interfaces to it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// State of 32 interrupts of an emulated GIC: a bit each, in the order of their numbers (IHI 0069, IHI 0048).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GicInterrupts {
    /// Group 1; else group 0.
    pub group: u32,
    /// Enabled.
    pub enabled: u32,
    /// Edge-triggered; else level-triggered.
    pub edge: u32,
    /// Level of the line.
    pub line: u32,
    /// Pending by an edge or by software, and not in a list register.
    pub latch: u32,
    /// Active, and not in a list register.
    pub active: u32,
    /// Of those in a list register: what made them pending was no line.
    pub latch_in_list: u32,
    /// Of those in a list register: the guest has asked for deactivation (ICACTIVER).
    pub deactivate: u32,
    /// Priority of each.
    pub priority: [u8; 32],
}

/// State of one vCPU's side of an emulated GIC, while the vCPU is off its core.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GicCpu {
    /// Its SGIs and PPIs.
    pub private: GicInterrupts,
    /// What its list registers hold (`ICH_LR<n>_EL2`; an SGI's sender in bits 34:32); zero in those not in use.
    pub list_registers: [u64; 16],
    /// List registers in use, a bit each.
    pub used: u32,
    /// Of those in use: whose end is looked at. Bit 31: an interrupt waits for a list register.
    pub special: u32,
    /// 1: a maintenance interrupt comes when no list register is pending.
    pub maintained: u32,
    /// 1: it has not been on its core since it was switched on.
    pub fresh: u32,
    /// 1: GICR_WAKER.ProcessorSleep.
    pub asleep: u32,
    /// Zero.
    pub reserved: u32,
    /// By SGI who has sent it and is not in a list register, a bit per vCPU: GICv2 only.
    pub senders: [u8; 16],
}

/// State of an emulated GIC, version [`Gic::VERSION`]. No physical interrupt stands behind any of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Gic {
    /// Version of this structure.
    pub version: u32,
    /// What the guest sees: 2 or 3.
    pub architecture: u32,
    /// Number of vCPUs.
    pub vcpus: u32,
    /// GICD_CTLR: the enables of group 0 and group 1.
    pub control: u32,
    /// The vCPUs; behind the last of the VM's, as out of reset.
    pub cpus: [GicCpu; 8],
    /// The SPIs.
    pub spis: [GicInterrupts; 8],
    /// By SPI: GICD_IROUTER, Aff3 to Aff0 in one word; of a GICv2 GICD_ITARGETSR.
    pub routes: [u32; 256],
}

impl Gic {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// A vCPU's CPU interface to the GIC, version [`GicCpuInterface::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct GicCpuInterface {
    /// Version of this structure.
    pub version: u32,
    /// What the guest sees: 2 or 3.
    pub architecture: u32,
    /// ICH_VMCR_EL2; GICH_VMCR of a GICv2.
    pub control: u64,
    /// `ICH_AP0R<n>_EL2` and `ICH_AP1R<n>_EL2`; of a GICv2 GICH_APR in the first.
    pub active: [[u64; 2]; 4],
}

impl GicCpuInterface {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
