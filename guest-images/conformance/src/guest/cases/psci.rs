//! PSCI (DEN0022): versions, discovery, and the answers to calls that must change nothing.

use conformance::model;
use conformance::profile::Profile;
use portcullis_abi::function::*;
use portcullis_abi::result::*;

use crate::guest::door::{Door, JUNK, REFUSED, code};

/// Identifiers of PSCI 0.1 as Linux KVM chose them; no VM of ours has that version.
const PSCI_0_1: [u32; 4] = [0x95c1_ba5e, 0x95c1_ba5f, 0x95c1_ba60, 0x95c1_ba61];

/// The cases of this service that leave every vCPU as it is. This must be vCPU 0.
pub fn run(door: &Door, profile: &Profile) {
    door.expect(format_args!("psci/version"), PSCI_VERSION.into(), [0; 3], [profile.psci.into(), 0, 0, 0]);
    let migration = code(PSCI_MIGRATION_NOT_REQUIRED);
    door.expect(format_args!("psci/migrate info type"), PSCI_MIGRATE_INFO_TYPE.into(), [0; 3], migration);
    features(door, profile);
    absent(door, profile);
    affinity(door, profile);
    cpu_on(door, profile);
    system_reset2(door, profile);
    system_off2(door, profile);
}

fn features(door: &Door, profile: &Profile) {
    if profile.psci < PSCI_VERSION_1_0 {
        return door.refused(format_args!("psci/features"), PSCI_FEATURES.into(), [PSCI_VERSION.into(), 0, 0]);
    }
    let narrow = PSCI_VERSION..PSCI_VERSION + 0x20;
    let ids = narrow.clone().chain(narrow.map(|function| function | SMC64));
    for asked in ids.chain([SMCCC_VERSION, ARCH_FEATURES, TRNG_VERSION, TRNG_RND64, PSCI_0_1[2], 0]) {
        let known = asked == SMCCC_VERSION || model::is_psci(asked, profile.psci);
        let expected = match asked & !SMC64 {
            _ if !known => REFUSED,
            PSCI_SYSTEM_OFF2 => code(PSCI_FEATURE_HIBERNATE_OFF),
            _ => code(0),
        };
        door.expect(format_args!("psci/features {asked:#x}"), PSCI_FEATURES.into(), [asked.into(), 0, 0], expected);
    }
    let upper = JUNK | u64::from(PSCI_SYSTEM_OFF);
    door.expect(format_args!("psci/features with upper x1"), PSCI_FEATURES.into(), [upper, 0, 0], code(0));
}

/// Functions of the range that do not exist, among them the 64-bit forms of drastic 32-bit ones.
fn absent(door: &Door, profile: &Profile) {
    let narrow = PSCI_VERSION..PSCI_VERSION + 0x20;
    let ids = narrow.clone().chain(narrow.map(|function| function | SMC64)).chain(PSCI_0_1);
    for function in ids.filter(|&function| !model::is_psci(function, profile.psci)) {
        // A second argument that no function of later versions would accept.
        door.refused(format_args!("psci/absent {function:#x}"), function.into(), [0x7fff_fffe, u64::MAX, 0]);
    }
}

/// Targets that are no vCPU of this VM: beyond the last, other clusters, reserved bits (DEN0022 section 5.1.4).
fn strangers(profile: &Profile) -> [u64; 6] {
    [profile.cpus as u64, 0xff, 0x100, 0x1_0000, 1 << 24, 1 << 31]
}

fn affinity(door: &Door, profile: &Profile) {
    for function in [PSCI_AFFINITY_INFO, PSCI_AFFINITY_INFO | SMC64] {
        let case = |target: u64, level: u64, expected: i64| {
            let name = format_args!("psci/affinity info {function:#x} {target:#x} level {level}");
            door.expect(name, function.into(), [target, level, 0], code(expected));
        };
        for level in 0..4 {
            case(0, level, PSCI_AFFINITY_ON);
        }
        case(0, 4, PSCI_INVALID_PARAMETERS);
        for target in strangers(profile) {
            case(target, 0, PSCI_INVALID_PARAMETERS);
        }
    }
    let name = format_args!("psci/affinity info, 32 bits, upper halves");
    door.expect(name, PSCI_AFFINITY_INFO.into(), [JUNK, JUNK, JUNK], code(PSCI_AFFINITY_ON));
    for target in [1 << 32, 1 << 40, 1 << 63] {
        let name = format_args!("psci/affinity info, 64 bits, {target:#x}");
        door.expect(name, (PSCI_AFFINITY_INFO | SMC64).into(), [target, 0, 0], code(PSCI_INVALID_PARAMETERS));
    }
}

fn cpu_on(door: &Door, profile: &Profile) {
    let entry = guest_runtime::cpu::entry_address();
    for function in [PSCI_CPU_ON, PSCI_CPU_ON | SMC64] {
        let case = |target: u64, expected: i64| {
            let name = format_args!("psci/cpu on {function:#x} {target:#x}");
            door.expect(name, function.into(), [target, entry, 0], code(expected));
        };
        case(0, PSCI_ALREADY_ON);
        for target in strangers(profile) {
            case(target, PSCI_INVALID_PARAMETERS);
        }
    }
    let name = format_args!("psci/cpu on, 32 bits, upper halves");
    door.expect(name, PSCI_CPU_ON.into(), [JUNK, JUNK | entry, JUNK], code(PSCI_ALREADY_ON));
    for target in [1 << 32, 1 << 40, 1 << 63] {
        let name = format_args!("psci/cpu on, 64 bits, {target:#x}");
        door.expect(name, (PSCI_CPU_ON | SMC64).into(), [target, entry, 0], code(PSCI_INVALID_PARAMETERS));
    }
}

/// Reset types 1 to 0x7fff_ffff are reserved (DEN0022 section 5.12).
fn system_reset2(door: &Door, profile: &Profile) {
    let expected = if profile.psci >= PSCI_VERSION_1_1 { code(PSCI_INVALID_PARAMETERS) } else { REFUSED };
    for function in [PSCI_SYSTEM_RESET2, PSCI_SYSTEM_RESET2 | SMC64] {
        for kind in [1, 0x7fff_ffff, JUNK | 1] {
            let name = format_args!("psci/system reset2 {function:#x} type {kind:#x}");
            door.expect(name, function.into(), [kind, 0, 0], expected);
        }
    }
}

/// Types but 0 and 1, and cookies but 0, are reserved (DEN0022 section 5.11). Those that would end the VM are no cases of this
/// kind.
fn system_off2(door: &Door, profile: &Profile) {
    let expected = if profile.psci >= PSCI_VERSION_1_3 { code(PSCI_INVALID_PARAMETERS) } else { REFUSED };
    for (kind, cookie) in [(1, 1), (0, 1), (2, 0), (0x8000_0001, 0), (2, 1)] {
        for function in [PSCI_SYSTEM_OFF2, PSCI_SYSTEM_OFF2 | SMC64] {
            let name = format_args!("psci/system off2 {function:#x} type {kind:#x} cookie {cookie:#x}");
            door.expect(name, function.into(), [kind, cookie, 0], expected);
        }
    }
    // Of the 64-bit form all of each argument counts, of the 32-bit form the lower half.
    let name = format_args!("psci/system off2, 64 bits, upper half of the type");
    door.expect(name, (PSCI_SYSTEM_OFF2 | SMC64).into(), [JUNK | 1, 0, 0], expected);
    let name = format_args!("psci/system off2, 64 bits, upper half of the cookie");
    door.expect(name, (PSCI_SYSTEM_OFF2 | SMC64).into(), [1, 1 << 32, 0], expected);
    let name = format_args!("psci/system off2, 32 bits, upper halves");
    door.expect(name, PSCI_SYSTEM_OFF2.into(), [JUNK | 2, JUNK, 0], expected);
}
