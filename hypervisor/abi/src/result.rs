//! Return codes of the services. Each convention has its own set; they are sign-extended to 64 bits in x0.

/// SMCCC `NOT_SUPPORTED` (DEN0028 section 7.1); PSCI and TRNG use the same value.
pub const NOT_SUPPORTED: i64 = -1;
/// `SMCCC_ARCH_FEATURES`: the workaround is discoverable but not needed.
pub const SMCCC_NOT_REQUIRED: i64 = -2;

/// SMCCC `INVALID_PARAMETER` (DEN0028 section 7.1).
pub const SMCCC_INVALID_PARAMETER: i64 = -3;

/// PSCI `SUCCESS` (DEN0022 section 5.2.2).
pub const PSCI_SUCCESS: i64 = 0;
/// PSCI `INVALID_PARAMETERS`.
pub const PSCI_INVALID_PARAMETERS: i64 = -2;
/// PSCI `DENIED`.
pub const PSCI_DENIED: i64 = -3;
/// PSCI `ALREADY_ON`.
pub const PSCI_ALREADY_ON: i64 = -4;
/// PSCI `ON_PENDING`.
pub const PSCI_ON_PENDING: i64 = -5;
/// PSCI `INTERNAL_FAILURE`.
pub const PSCI_INTERNAL_FAILURE: i64 = -6;
/// PSCI `INVALID_ADDRESS`.
pub const PSCI_INVALID_ADDRESS: i64 = -9;
/// `AFFINITY_INFO`: at least one core of the affinity instance is on.
pub const PSCI_AFFINITY_ON: i64 = 0;
/// `AFFINITY_INFO`: all cores of the affinity instance are off.
pub const PSCI_AFFINITY_OFF: i64 = 1;
/// `AFFINITY_INFO`: the core is between the two.
pub const PSCI_AFFINITY_ON_PENDING: i64 = 2;
/// `PSCI_FEATURES` about `SYSTEM_OFF2`: it has the type [`PSCI_HIBERNATE_OFF`] (DEN0022 section 5.11).
pub const PSCI_FEATURE_HIBERNATE_OFF: i64 = 1;
/// `SYSTEM_OFF2`: the type of a power down after hibernation; 0 stands for it too.
pub const PSCI_HIBERNATE_OFF: u32 = 1;
/// `MIGRATE_INFO_TYPE`: no Trusted OS, or one that needs no migration.
pub const PSCI_MIGRATION_NOT_REQUIRED: i64 = 2;

/// TRNG `INVALID_PARAMETERS` (DEN0098 section 2.2).
pub const TRNG_INVALID_PARAMETERS: i64 = -2;
/// TRNG `NO_ENTROPY`.
pub const TRNG_NO_ENTROPY: i64 = -3;
