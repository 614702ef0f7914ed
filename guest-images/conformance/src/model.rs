//! Which function identifiers mean something behind a door: the expectation that the calls are held against.

use portcullis_abi::function::*;

use crate::profile::Profile;

/// Owner field of a function identifier, bits 29:24 (DEN0028 section 2.5).
pub const OWNER_SHIFT: u32 = 24;

/// PSCI functions that exist in both widths, with the version that brought them.
const PSCI_BOTH: [(u32, u32); 5] = [
    (PSCI_CPU_SUSPEND, PSCI_VERSION_0_2),
    (PSCI_CPU_ON, PSCI_VERSION_0_2),
    (PSCI_AFFINITY_INFO, PSCI_VERSION_0_2),
    (PSCI_SYSTEM_RESET2, PSCI_VERSION_1_1),
    (PSCI_SYSTEM_OFF2, PSCI_VERSION_1_3),
];
/// PSCI functions that exist in 32 bits only, with the version that brought them.
const PSCI_NARROW: [(u32, u32); 6] = [
    (PSCI_VERSION, PSCI_VERSION_0_2),
    (PSCI_CPU_OFF, PSCI_VERSION_0_2),
    (PSCI_MIGRATE_INFO_TYPE, PSCI_VERSION_0_2),
    (PSCI_SYSTEM_OFF, PSCI_VERSION_0_2),
    (PSCI_SYSTEM_RESET, PSCI_VERSION_0_2),
    (PSCI_FEATURES, PSCI_VERSION_1_0),
];

/// The workaround calls: whether they are served depends on the board.
pub const WORKAROUNDS: [u32; 3] = [ARCH_WORKAROUND_1, ARCH_WORKAROUND_2, ARCH_WORKAROUND_3];
/// The TRNG calls.
pub const TRNG: [u32; 5] = [TRNG_VERSION, TRNG_FEATURES, TRNG_GET_UUID, TRNG_RND32, TRNG_RND64];

/// Whether PSCI of this version has the function.
pub fn is_psci(function: u32, version: u32) -> bool {
    PSCI_NARROW.iter().any(|&(known, since)| known == function && since <= version)
        || PSCI_BOTH.iter().any(|&(known, since)| known == function & !SMC64 && since <= version)
}

/// Whether the door serves the function.
pub fn is_served(function: u32, profile: &Profile) -> bool {
    matches!(function, SMCCC_VERSION | ARCH_FEATURES)
        || profile.soc.is_some() && function == ARCH_SOC_ID
        || is_psci(function, profile.psci)
        || profile.has_trng() && TRNG.contains(&function)
        || profile.has_pv_time() && matches!(function, PV_TIME_FEATURES | PV_TIME_ST)
        || profile.has_vendor_identity() && matches!(function, VENDOR_UID | VENDOR_FEATURES)
        || profile.has_ptp() && function == VENDOR_PTP
        || profile.has_impl_version() && function == VENDOR_IMPL_VERSION
        || profile.has_impl_cpus() && function == VENDOR_IMPL_CPUS
}

/// Whether a call that nobody planned could stop, suspend or reset something: these PSCI functions, whatever width,
/// reserved bits or hint a confused callee may ignore.
pub fn is_drastic(function: u32) -> bool {
    const STANDARD_OWNER: u32 = PSCI_VERSION >> OWNER_SHIFT & 0x3f;
    let number = function & 0xffff;
    function >> OWNER_SHIFT & 0x3f == STANDARD_OWNER
        && matches!(number, 0x1 | 0x2 | 0x3 | 0x8 | 0x9 | 0xb | 0xc | 0xe | 0x12 | 0x15)
}

#[cfg(test)]
mod tests {
    use guest_runtime::arguments::Arguments;

    use super::*;

    fn served(line: &'static str) -> Vec<u32> {
        let profile = Profile::parse(Arguments::new(line)).unwrap();
        let owners = (0..64).map(|owner| 0x8000_0000 | owner << OWNER_SHIFT);
        owners
            .flat_map(|base| {
                (0..0x200).chain(0xff00..0x1_0000).flat_map(move |number| [base | number, base | number | SMC64])
            })
            .filter(|&function| is_served(function, &profile))
            .collect()
    }

    #[test]
    fn a_closed_door_serves_psci_and_discovery_only() {
        let functions = served("std=0 std-hyp=0 vendor-hyp=0");
        assert_eq!(functions.len(), 2 + 6 + 2 * 5);
        assert!(functions.iter().all(|&function| function <= ARCH_FEATURES || is_psci(function, PSCI_VERSION_1_3)));
    }

    #[test]
    fn an_open_door_serves_ten_more() {
        assert_eq!(served("vendor-hyp-2=3").len(), served("").len() + 2);
        assert_eq!(served("").len(), served("std=0 std-hyp=0 vendor-hyp=0").len() + 5 + 2 + 3);
    }

    #[test]
    fn older_psci_has_less() {
        assert!(is_psci(PSCI_SYSTEM_RESET2 | SMC64, PSCI_VERSION_1_1));
        assert!(!is_psci(PSCI_SYSTEM_RESET2, PSCI_VERSION_1_0));
        assert!(!is_psci(PSCI_SYSTEM_OFF2 | SMC64, PSCI_VERSION_1_2));
        assert!(!is_psci(PSCI_FEATURES, PSCI_VERSION_0_2));
        assert!(!is_psci(PSCI_SYSTEM_OFF | SMC64, PSCI_VERSION_1_1));
    }

    #[test]
    fn drastic_calls_are_known_in_every_disguise() {
        for function in
            [PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET2 | SMC64, PSCI_CPU_OFF | 1 << 16, PSCI_SYSTEM_OFF & !(1 << 31)]
        {
            assert!(is_drastic(function), "{function:#x}");
        }
        assert!(!is_drastic(PSCI_VERSION) && !is_drastic(TRNG_RND64));
    }
}
