//! Services as they are counted.

/// What a call is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Group {
    /// SMCCC itself: VERSION, ARCH_FEATURES, the workarounds.
    Arch = 0,
    /// PSCI.
    Psci = 1,
    /// TRNG.
    Trng = 2,
    /// PV time.
    PvTime = 3,
    /// The vendor's identity: UID, feature word, implementation discovery.
    Vendor = 4,
    /// PTP.
    Ptp = 5,
    /// Management calls.
    Management = 6,
    /// A function that does not exist.
    Unknown = 7,
    /// The watchdog.
    Watchdog = 8,
}

impl Group {
    /// How many there are.
    pub const COUNT: usize = 9;
}
