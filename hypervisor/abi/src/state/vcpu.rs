//! The registers of a vCPU.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Whether a vCPU is on, version [`Power::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Power {
    /// Version of this structure.
    pub version: u32,
    /// 0 off, 1 on, 2 about to begin, 3 suspended with its VM (PSCI SYSTEM_SUSPEND), 4 the same and woken.
    pub state: u32,
    /// Where it begins or goes on; 0 if it is off or on.
    pub entry: u64,
    /// x0 there; 0 if it is off or on.
    pub context: u64,
}

impl Power {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}

/// General registers of a vCPU, version [`General::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
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
