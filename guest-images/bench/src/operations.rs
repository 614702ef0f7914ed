//! The operations that are measured: interrupts, inter-processor interrupts, emulated devices, trapped registers.

/// Most operations in a test.
pub const MAX_OPERATIONS: u32 = 1000;

/// An operation, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Operation {
    /// Nothing: the ruler's zero.
    Empty = 0,
    /// PSCI_VERSION by HVC.
    Hvc = 1,
    /// PSCI_VERSION by SMC.
    Smc = 2,
    /// The virtual timer fires while the guest spins.
    Timer = 3,
    /// An SGI to the vCPU itself.
    SgiSelf = 4,
    /// WFI that the virtual timer ends after 1000 ticks.
    WfiShort = 5,
    /// WFI that the virtual timer ends after 1000000 ticks.
    WfiLong = 6,
    /// Read of GICD_TYPER.
    GicdTyper = 7,
    /// Write of a bit to GICD_ISENABLER that is set.
    GicdEnableSame = 8,
    /// Write of a bit to GICD_ISENABLER that is clear.
    GicdEnable = 9,
    /// Write of a bit to GICD_ICENABLER that is set.
    GicdDisable = 10,
    /// Write of a bit to GICR_ISENABLER0 that is set.
    GicrEnableSame = 11,
    /// Read of the PL011's flags.
    UartFlags = 12,
    /// Write of a character to the PL011.
    UartData = 13,
    /// Read of ID_AA64PFR0_EL1.
    IdRegister = 14,
    /// Read of ACTLR_EL1.
    Actlr = 15,
    /// Read of CNTP_CTL_EL0.
    PhysicalTimer = 16,
    /// Read of MDSCR_EL1.
    Mdscr = 17,
    /// Read of CTR_EL0.
    CacheType = 18,
    /// WFE.
    Wfe = 19,
    /// A copy of 64 KiB by what EL2 copies with.
    Copy = 20,
    /// Read of CNTPCT_EL0.
    PhysicalCounter = 21,
    /// An SGI to another vCPU that spins, until that one has answered.
    Ipi = 24,
    /// An SGI to another vCPU that is in WFI, until that one has answered.
    IpiIdle = 25,
}

impl Operation {
    /// Those of one vCPU, in the order of their tests.
    pub const SINGLE: [Self; 22] = [
        Self::Empty,
        Self::Hvc,
        Self::Smc,
        Self::Timer,
        Self::SgiSelf,
        Self::WfiShort,
        Self::WfiLong,
        Self::GicdTyper,
        Self::GicdEnableSame,
        Self::GicdEnable,
        Self::GicdDisable,
        Self::GicrEnableSame,
        Self::UartFlags,
        Self::UartData,
        Self::IdRegister,
        Self::Actlr,
        Self::PhysicalTimer,
        Self::Mdscr,
        Self::CacheType,
        Self::Wfe,
        Self::Copy,
        Self::PhysicalCounter,
    ];
    /// Those of two vCPUs.
    pub const PAIR: [Self; 2] = [Self::Ipi, Self::IpiIdle];

    /// Its name in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Hvc => "hvc",
            Self::Smc => "smc",
            Self::Timer => "timer",
            Self::SgiSelf => "sgi-self",
            Self::WfiShort => "wfi-1000",
            Self::WfiLong => "wfi-1000000",
            Self::GicdTyper => "gicd-typer",
            Self::GicdEnableSame => "gicd-isenabler-same",
            Self::GicdEnable => "gicd-isenabler",
            Self::GicdDisable => "gicd-icenabler",
            Self::GicrEnableSame => "gicr-isenabler0",
            Self::UartFlags => "uart-flags",
            Self::UartData => "uart-data",
            Self::IdRegister => "id-register",
            Self::Actlr => "actlr",
            Self::PhysicalTimer => "cntp-ctl",
            Self::Mdscr => "mdscr",
            Self::CacheType => "ctr",
            Self::Wfe => "wfe",
            Self::Copy => "copy-64k",
            Self::PhysicalCounter => "cntpct",
            Self::Ipi => "ipi",
            Self::IpiIdle => "ipi-idle",
        }
    }
}
