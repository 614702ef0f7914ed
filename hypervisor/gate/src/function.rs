//! Every function that exists behind the gate, and what each needs to be offered.

use portcullis_abi::{
    firmware,
    function::{self, SMC64},
    manage,
};

use crate::function_id::{FunctionId, Width};
use crate::layout;
use crate::profile::Profile;
use crate::register::Register;
use crate::verdict::{PsciFunction, Service, TrngFunction};

/// The SMC64 forms of the PSCI functions that have both.
const CPU_SUSPEND_64: u32 = function::PSCI_CPU_SUSPEND | SMC64;
const CPU_ON_64: u32 = function::PSCI_CPU_ON | SMC64;
const AFFINITY_INFO_64: u32 = function::PSCI_AFFINITY_INFO | SMC64;
const SYSTEM_RESET2_64: u32 = function::PSCI_SYSTEM_RESET2 | SMC64;

/// The last identifier of the management calls.
const MANAGE_LAST: u32 = manage::BASE + manage::COUNT - 1;

/// A function that the gate knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `SMCCC_VERSION`.
    SmcccVersion,
    /// `SMCCC_ARCH_FEATURES`.
    ArchFeatures,
    /// `SMCCC_ARCH_WORKAROUND_1`, `_2` or `_3`, by its register.
    Workaround(Register),
    /// `PSCI_VERSION`.
    PsciVersion,
    /// `PSCI_FEATURES`.
    PsciFeatures,
    /// `MIGRATE_INFO_TYPE`.
    MigrateInfoType,
    /// `TRNG_VERSION`.
    TrngVersion,
    /// `TRNG_FEATURES`.
    TrngFeatures,
    /// `PV_TIME_FEATURES`.
    PvTimeFeatures,
    /// The vendor's UID.
    VendorUid,
    /// The vendor's feature word.
    VendorFeatures,
    /// A function that a service answers.
    Served(Service),
}

impl Function {
    /// The function with this identifier. Identifiers are compared over all 32 bits, so a yielding form, reserved bits
    /// or a width that the function does not define name nothing.
    pub const fn of(id: FunctionId) -> Option<Self> {
        use PsciFunction as P;
        use Service::{ImplCpus, ImplVersion, Management, Psci, Ptp, PvTimeSt, Trng};
        use TrngFunction::{GetUuid, Rnd32, Rnd64};
        let width = id.width();
        Some(match id.0 {
            function::SMCCC_VERSION => Self::SmcccVersion,
            function::ARCH_FEATURES => Self::ArchFeatures,
            function::ARCH_WORKAROUND_1 => Self::Workaround(Register::Workaround1),
            function::ARCH_WORKAROUND_2 => Self::Workaround(Register::Workaround2),
            function::ARCH_WORKAROUND_3 => Self::Workaround(Register::Workaround3),
            function::PSCI_VERSION => Self::PsciVersion,
            function::PSCI_FEATURES => Self::PsciFeatures,
            function::PSCI_MIGRATE_INFO_TYPE => Self::MigrateInfoType,
            function::PSCI_CPU_SUSPEND | CPU_SUSPEND_64 => Self::Served(Psci(P::CpuSuspend, width)),
            function::PSCI_CPU_OFF => Self::Served(Psci(P::CpuOff, Width::Smc32)),
            function::PSCI_CPU_ON | CPU_ON_64 => Self::Served(Psci(P::CpuOn, width)),
            function::PSCI_AFFINITY_INFO | AFFINITY_INFO_64 => Self::Served(Psci(P::AffinityInfo, width)),
            function::PSCI_SYSTEM_OFF => Self::Served(Psci(P::SystemOff, Width::Smc32)),
            function::PSCI_SYSTEM_RESET => Self::Served(Psci(P::SystemReset, Width::Smc32)),
            function::PSCI_SYSTEM_RESET2 | SYSTEM_RESET2_64 => Self::Served(Psci(P::SystemReset2, width)),
            function::TRNG_VERSION => Self::TrngVersion,
            function::TRNG_FEATURES => Self::TrngFeatures,
            function::TRNG_GET_UUID => Self::Served(Trng(GetUuid)),
            function::TRNG_RND32 => Self::Served(Trng(Rnd32)),
            function::TRNG_RND64 => Self::Served(Trng(Rnd64)),
            function::PV_TIME_FEATURES => Self::PvTimeFeatures,
            function::PV_TIME_ST => Self::Served(PvTimeSt),
            function::VENDOR_UID => Self::VendorUid,
            function::VENDOR_FEATURES => Self::VendorFeatures,
            function::VENDOR_PTP => Self::Served(Ptp),
            function::VENDOR_IMPL_VERSION => Self::Served(ImplVersion),
            function::VENDOR_IMPL_CPUS => Self::Served(ImplCpus),
            manage::BASE..=MANAGE_LAST => Self::Served(Management(id.0)),
            _ => return None,
        })
    }

    /// Whether a VM with this profile is offered the function: the gate.
    pub const fn is_offered(self, profile: Profile) -> bool {
        use Service::{ImplCpus, ImplVersion, Management, Psci, Ptp, PvTimeSt, Trng};
        match self {
            Self::SmcccVersion | Self::ArchFeatures => true,
            // Discovery says that WORKAROUND_2 is missing or not required. Either is negative: there is no such call.
            Self::Workaround(Register::Workaround2) => false,
            Self::Workaround(register) => profile.register(register) != 0,
            Self::PsciFeatures => profile.psci_version() >= function::PSCI_VERSION_1_0,
            Self::Served(Psci(PsciFunction::SystemReset2, _)) => profile.psci_version() >= function::PSCI_VERSION_1_1,
            Self::PsciVersion | Self::MigrateInfoType | Self::Served(Psci(..)) => true,
            Self::TrngVersion | Self::TrngFeatures | Self::Served(Trng(_)) => profile.has(layout::TRNG_BIT),
            Self::PvTimeFeatures | Self::Served(PvTimeSt) => profile.has(layout::PV_TIME_BIT),
            Self::VendorUid | Self::VendorFeatures => profile.has(layout::FUNC_FEAT_BIT),
            Self::Served(Ptp) => profile.has(layout::PTP_BIT),
            Self::Served(ImplVersion) => profile.has(layout::IMPL_VERSION_BIT),
            Self::Served(ImplCpus) => profile.has(layout::IMPL_CPUS_BIT),
            Self::Served(Management(_)) => profile.is_control(),
        }
    }

    /// The least that a VM must have to be offered the function: bits, a PSCI version, workaround levels. Nothing else of
    /// the word is set.
    pub fn requirement(self) -> Profile {
        use Service::{ImplCpus, ImplVersion, Management, Psci, Ptp, PvTimeSt, Trng};
        let none = Profile(0);
        let bit = |bit: u32| Profile(1 << bit);
        match self {
            Self::SmcccVersion | Self::ArchFeatures => none,
            Self::Workaround(register) => none.with(register, firmware::WORKAROUND_AVAILABLE),
            Self::PsciFeatures => none.with(Register::PsciVersion, function::PSCI_VERSION_1_0.into()),
            Self::Served(Psci(PsciFunction::SystemReset2, _)) => {
                none.with(Register::PsciVersion, function::PSCI_VERSION_1_1.into())
            }
            Self::PsciVersion | Self::MigrateInfoType | Self::Served(Psci(..)) => {
                none.with(Register::PsciVersion, function::PSCI_VERSION_0_2.into())
            }
            Self::TrngVersion | Self::TrngFeatures | Self::Served(Trng(_)) => bit(layout::TRNG_BIT),
            Self::PvTimeFeatures | Self::Served(PvTimeSt) => bit(layout::PV_TIME_BIT),
            Self::VendorUid | Self::VendorFeatures => bit(layout::FUNC_FEAT_BIT),
            Self::Served(Ptp) => bit(layout::PTP_BIT),
            Self::Served(ImplVersion) => bit(layout::IMPL_VERSION_BIT),
            Self::Served(ImplCpus) => bit(layout::IMPL_CPUS_BIT),
            Self::Served(Management(_)) => bit(layout::CONTROL_BIT),
        }
    }

    /// Whether `PSCI_FEATURES` answers for the function (DEN0022): PSCI itself and `SMCCC_VERSION`.
    pub const fn is_psci(self) -> bool {
        matches!(
            self,
            Self::PsciVersion
                | Self::PsciFeatures
                | Self::MigrateInfoType
                | Self::Served(Service::Psci(..))
                | Self::SmcccVersion
        )
    }

    /// Whether `TRNG_FEATURES` answers for the function (DEN0098).
    pub const fn is_trng(self) -> bool {
        matches!(self, Self::TrngVersion | Self::TrngFeatures | Self::Served(Service::Trng(_)))
    }

    /// Whether `PV_TIME_FEATURES` answers for the function (DEN0057).
    pub const fn is_pv_time(self) -> bool {
        matches!(self, Self::PvTimeFeatures | Self::Served(Service::PvTimeSt))
    }
}
