//! Firmware functions by name.

use portcullis_abi::{function, manage};

use crate::number;

const NAMES: &[(&str, u32)] = &[
    ("SMCCC_VERSION", function::SMCCC_VERSION),
    ("SMCCC_ARCH_FEATURES", function::ARCH_FEATURES),
    ("SMCCC_ARCH_SOC_ID", function::ARCH_SOC_ID),
    ("SMCCC_ARCH_SOC_ID", function::ARCH_SOC_ID | function::SMC64),
    ("SMCCC_ARCH_WORKAROUND_1", function::ARCH_WORKAROUND_1),
    ("SMCCC_ARCH_WORKAROUND_2", function::ARCH_WORKAROUND_2),
    ("SMCCC_ARCH_WORKAROUND_3", function::ARCH_WORKAROUND_3),
    ("PSCI_VERSION", function::PSCI_VERSION),
    ("CPU_SUSPEND", function::PSCI_CPU_SUSPEND),
    ("CPU_SUSPEND", function::PSCI_CPU_SUSPEND | function::SMC64),
    ("CPU_OFF", function::PSCI_CPU_OFF),
    ("CPU_ON", function::PSCI_CPU_ON),
    ("CPU_ON", function::PSCI_CPU_ON | function::SMC64),
    ("AFFINITY_INFO", function::PSCI_AFFINITY_INFO),
    ("AFFINITY_INFO", function::PSCI_AFFINITY_INFO | function::SMC64),
    ("MIGRATE_INFO_TYPE", function::PSCI_MIGRATE_INFO_TYPE),
    ("SYSTEM_OFF", function::PSCI_SYSTEM_OFF),
    ("SYSTEM_RESET", function::PSCI_SYSTEM_RESET),
    ("PSCI_FEATURES", function::PSCI_FEATURES),
    ("SYSTEM_RESET2", function::PSCI_SYSTEM_RESET2),
    ("SYSTEM_RESET2", function::PSCI_SYSTEM_RESET2 | function::SMC64),
    ("TRNG_VERSION", function::TRNG_VERSION),
    ("TRNG_FEATURES", function::TRNG_FEATURES),
    ("TRNG_GET_UUID", function::TRNG_GET_UUID),
    ("TRNG_RND32", function::TRNG_RND32),
    ("TRNG_RND64", function::TRNG_RND64),
    ("PV_TIME_FEATURES", function::PV_TIME_FEATURES),
    ("PV_TIME_ST", function::PV_TIME_ST),
    ("VENDOR_FEATURES", function::VENDOR_FEATURES),
    ("VENDOR_PTP", function::VENDOR_PTP),
    ("VENDOR_UID", function::VENDOR_UID),
    ("VENDOR_IMPL_VERSION", function::VENDOR_IMPL_VERSION),
    ("VENDOR_IMPL_CPUS", function::VENDOR_IMPL_CPUS),
];

/// The name of a function; empty if it has none.
pub fn name(function: u32) -> &'static str {
    let mut all = NAMES.iter().chain(&manage::ALL);
    all.find(|(_, known)| *known == function).map_or("", |(name, _)| name)
}

/// The function that a word means: a name of this list, or a number of 32 bits.
pub fn parse(word: &str) -> Option<u32> {
    let mut all = NAMES.iter().chain(&manage::ALL);
    let named = all.find(|(name, _)| *name == word).map(|(_, function)| *function);
    named.or_else(|| u32::try_from(number::parse(word)?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers() {
        assert_eq!(parse("TRNG_RND64"), Some(0xc400_0053));
        assert_eq!(parse("0xc4000053"), Some(0xc400_0053));
        assert_eq!(parse("REGISTER_SET"), Some(manage::REGISTER_SET));
        assert_eq!((parse("0x1_0000_0000"), parse("TRNG")), (None, None));
        assert_eq!((name(0x8400_0000), name(0x1234)), ("PSCI_VERSION", ""));
    }
}
