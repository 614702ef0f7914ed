//! What a saved VM is made of: plain structures, each with a version of its own. A structure never changes its meaning; a new
//! one gets the next version. Who restores one checks every value in it, since it comes from elsewhere.

use core::fmt;

/// Why a saved state is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is of another version than the one that is known.
    Version {
        /// The version that was saved.
        saved: u32,
        /// The one that is known.
        known: u32,
    },
    /// The part named holds what nothing of this kind ever holds.
    Value(&'static str),
    /// The part named is good, and this machine or this VM does not have it.
    Absent(&'static str),
}

impl Unfit {
    /// Checks that a state of version `saved` is of the one that is known.
    ///
    /// # Errors
    ///
    /// [`Unfit::Version`].
    pub const fn check_version(saved: u32, known: u32) -> Result<(), Self> {
        if saved == known { Ok(()) } else { Err(Self::Version { saved, known }) }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { saved, known } => {
                write!(f, "its state is of version {saved}; version {known} is known here")
            }
            Self::Value(part) => write!(f, "its state is damaged: {part} holds a value that it cannot have"),
            Self::Absent(part) => write!(f, "its state has {part} that this VM does not have"),
        }
    }
}

impl core::error::Error for Unfit {}

/// State of an emulated PL011, version [`Pl011::VERSION`] (registers: Arm DDI 0183, chapter 3).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pl011 {
    /// Version of this structure.
    pub version: u32,
    /// UARTCR.
    pub control: u32,
    /// UARTLCR_H.
    pub line_control: u32,
    /// UARTIFLS.
    pub fifo_levels: u32,
    /// UARTIMSC.
    pub mask: u32,
    /// UARTRIS.
    pub raw: u32,
    /// UARTRSR.
    pub receive_status: u32,
    /// 1: a character was lost since the last one was read (UARTDR.OE of the next one).
    pub overrun: u32,
    /// UARTILPR.
    pub low_power: u32,
    /// UARTIBRD.
    pub divisor: u32,
    /// UARTFBRD.
    pub divisor_fraction: u32,
    /// UARTDMACR.
    pub dma: u32,
    /// Characters that wait to be sent.
    pub transmit_length: u32,
    /// Characters that wait to be read.
    pub receive_length: u32,
    /// What waits to be sent, the oldest first; zeros behind it.
    pub transmit: [u8; 32],
    /// What waits to be read, with its error bits (UARTDR 11:0), the oldest first; zeros behind it.
    pub receive: [u16; 32],
}

impl Pl011 {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of an emulated PL031, version [`Pl031::VERSION`] (registers: Arm DDI 0224, chapter 3).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pl031 {
    /// Version of this structure.
    pub version: u32,
    /// RTCDR less the time of day in seconds since 1970, modulo 2^32.
    pub offset: u32,
    /// RTCLR.
    pub load: u32,
    /// RTCMR.
    pub alarm: u32,
    /// RTCIMSC.
    pub mask: u32,
    /// RTCRIS.
    pub raw: u32,
    /// 1: RTCDR has yet to reach RTCMR.
    pub ahead: u32,
}

impl Pl031 {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of an emulated CFI bank of flash, version [`Flash::VERSION`]; what its cells hold is memory, and not in here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flash {
    /// Version of this structure.
    pub version: u32,
    /// What loads show: 0 the cells, 1 the status register, 2 manufacturer and device, 3 the query table.
    pub mode: u32,
    /// What the next store is: 0 a command, 1 the confirmation of an erasure, 2 what is to be programmed, 3 what becomes of a
    /// lock, 4 a count, 5 for the buffer, 6 the buffer's confirmation, 7 nothing, because a block is being erased.
    pub step: u32,
    /// Stores that fill the buffer and are yet to come, if `step` is 5.
    pub left: u32,
    /// Status register, bits 5 and 4.
    pub errors: u32,
    /// 1: a store for the buffer was outside of what it stands for.
    pub strayed: u32,
    /// First byte of the buffer that was filled; as large as the buffer if none was.
    pub first: u32,
    /// The byte behind the last one that was filled.
    pub end: u32,
    /// Offset into the bank of what is to be erased next, up to the end of its block; 0 if `step` is not 7.
    pub erasing: u64,
    /// Offset into the bank of what the buffer stands for.
    pub window: u64,
    /// The buffer; all bits are set where it was not filled.
    pub buffer: [u8; 2048],
}

impl Flash {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// State of 32 interrupts of an emulated GIC: a bit each, in the order of their numbers (IHI 0069, IHI 0048).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// A range of a VM's filter.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterRange {
    /// First function identifier.
    pub first: u32,
    /// Number of function identifiers.
    pub count: u32,
    /// What becomes of them: 0 the registers decide, 1 refused, 2 handed to EL3.
    pub action: u32,
}

/// State of a VM's firmware policy, version [`Firmware::VERSION`]. What the VM may do otherwise, its conduits and whether it is the
/// control VM, is its manifest's to say and not in here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Firmware {
    /// Version of this structure.
    pub version: u32,
    /// 1: a first write leaves the other registers as they are.
    pub keep: u32,
    /// 1: a register was written since the VM was created.
    pub written: u32,
    /// 1: the VM has started.
    pub frozen: u32,
    /// The firmware registers, in the order of [`crate::firmware::ALL`].
    pub registers: [u64; 8],
    /// Number of ranges in the filter.
    pub ranges: u32,
    /// The ranges in ascending order; zeros behind them.
    pub filter: [FilterRange; 32],
}

impl Firmware {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// General registers of a vCPU, version [`General::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct General {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// x0 to x30.
    pub x: [u64; 31],
    /// Where it goes on.
    pub pc: u64,
    /// PSTATE with which it goes on, as SPSR_EL2 has it.
    pub pstate: u64,
}

impl General {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// System registers of EL1 and EL0 that every CPU has (Arm ARM, D19.2).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct El1 {
    /// CPACR_EL1.
    pub cpacr: u64,
    /// TTBR0_EL1.
    pub ttbr0: u64,
    /// TTBR1_EL1.
    pub ttbr1: u64,
    /// MAIR_EL1.
    pub mair: u64,
    /// AMAIR_EL1.
    pub amair: u64,
    /// VBAR_EL1.
    pub vbar: u64,
    /// ESR_EL1.
    pub esr: u64,
    /// FAR_EL1.
    pub far: u64,
    /// AFSR0_EL1.
    pub afsr0: u64,
    /// AFSR1_EL1.
    pub afsr1: u64,
    /// ELR_EL1.
    pub elr: u64,
    /// SPSR_EL1.
    pub spsr: u64,
    /// SP_EL0.
    pub sp_el0: u64,
    /// SP_EL1.
    pub sp_el1: u64,
    /// PAR_EL1.
    pub par: u64,
    /// TPIDR_EL1.
    pub tpidr_el1: u64,
    /// TPIDR_EL0.
    pub tpidr_el0: u64,
    /// TPIDRRO_EL0.
    pub tpidrro_el0: u64,
    /// CONTEXTIDR_EL1.
    pub contextidr: u64,
    /// CSSELR_EL1.
    pub csselr: u64,
    /// MDSCR_EL1.
    pub mdscr: u64,
    /// CNTKCTL_EL1.
    pub cntkctl: u64,
    /// CNTV_CVAL_EL0.
    pub cntv_cval: u64,
    /// CNTV_CTL_EL0.
    pub cntv_ctl: u64,
    /// CNTP_CVAL_EL0.
    pub cntp_cval: u64,
    /// CNTP_CTL_EL0.
    pub cntp_ctl: u64,
    /// SCTLR_EL1.
    pub sctlr: u64,
    /// TCR_EL1.
    pub tcr: u64,
}

/// Registers of self-hosted debug (Arm ARM, D19.3).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Debug {
    /// `DBGBVR<n>_EL1` and `DBGBCR<n>_EL1`.
    pub breakpoints: [[u64; 2]; 16],
    /// `DBGWVR<n>_EL1` and `DBGWCR<n>_EL1`.
    pub watchpoints: [[u64; 2]; 16],
    /// OSLSR_EL1.OSLK.
    pub os_lock: u64,
    /// OSDLR_EL1.
    pub double_lock: u64,
    /// MDCCINT_EL1.
    pub communication_interrupt: u64,
    /// OSDTRRX_EL1 and OSDTRTX_EL1.
    pub communication: [u64; 2],
    /// OSECCR_EL1.
    pub exception_catch: u64,
    /// The claim tags.
    pub claim: u64,
}

/// All that a vCPU owns of a core besides general registers and interrupts, version [`World::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// System registers of EL1 and EL0.
    pub el1: El1,
    /// Registers of debug.
    pub debug: Debug,
    /// APIAKey, APIBKey, APDAKey, APDBKey and APGAKey, low and high each (FEAT_PAuth).
    pub keys: [u64; 10],
    /// DISR_EL1 (FEAT_RAS).
    pub deferred_error: u64,
    /// FPCR.
    pub fpcr: u64,
    /// FPSR.
    pub fpsr: u64,
    /// V0 to V31, the lower half first.
    pub vectors: [[u64; 2]; 32],
}

impl World {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// A vCPU's CPU interface to the GIC, version [`GicCpuInterface::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// State of a VM's virtual counter, which stands still, version [`Counter::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Version of this structure.
    pub version: u32,
    /// Ticks per second, as CNTFRQ_EL0 tells the guest.
    pub frequency: u32,
    /// CNTVCT_EL0.
    pub value: u64,
}

impl Counter {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
