//! Services as they are counted.

use crate::function::Function;
use crate::function_id::FunctionId;
use crate::verdict::Service;

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
}

impl Group {
    /// How many there are.
    pub const COUNT: usize = 8;

    /// The group of a function identifier.
    pub const fn of(id: FunctionId) -> Self {
        match Function::of(id) {
            Some(Function::SmcccVersion | Function::ArchFeatures | Function::Workaround(_)) => Self::Arch,
            Some(Function::PsciVersion | Function::PsciFeatures | Function::MigrateInfoType) => Self::Psci,
            Some(Function::TrngVersion | Function::TrngFeatures) => Self::Trng,
            Some(Function::PvTimeFeatures) => Self::PvTime,
            Some(Function::VendorUid | Function::VendorFeatures) => Self::Vendor,
            Some(Function::Served(Service::Psci(..))) => Self::Psci,
            Some(Function::Served(Service::Trng(_))) => Self::Trng,
            Some(Function::Served(Service::PvTimeSt)) => Self::PvTime,
            Some(Function::Served(Service::Ptp)) => Self::Ptp,
            Some(Function::Served(Service::ImplVersion | Service::ImplCpus)) => Self::Vendor,
            Some(Function::Served(Service::Management(_))) => Self::Management,
            None => Self::Unknown,
        }
    }
}
