//! Arm Architecture Calls (DEN0028 section 7): version, discovery, workarounds.

use conformance::model::{self, WORKAROUNDS};
use conformance::profile::Profile;
use portcullis_abi::function::*;
use portcullis_abi::result::{SMCCC_INVALID_PARAMETER, SMCCC_NOT_REQUIRED};

use crate::guest::door::{Door, JUNK, REFUSED, code};
use crate::guest::report;

/// The cases of this service.
pub fn run(door: &Door, profile: &Profile) {
    let version = [u64::from(profile.smccc), 0, 0, 0];
    door.expect(format_args!("arch/version"), SMCCC_VERSION.into(), [0; 3], version);
    door.expect(format_args!("arch/version with dirty arguments"), SMCCC_VERSION.into(), [JUNK, 7, u64::MAX], version);
    door.expect(format_args!("arch/version with upper x0"), JUNK | u64::from(SMCCC_VERSION), [0; 3], version);
    features(door, profile);
    for function in WORKAROUNDS {
        workaround(door, function);
    }
    soc(door, profile);
    for function in [SMCCC_VERSION | SMC64, ARCH_FEATURES | SMC64, ARCH_SOC_ID | SMC64] {
        door.refused(format_args!("arch/absent {function:#x}"), function.into(), [0; 3]);
    }
}

fn features(door: &Door, profile: &Profile) {
    for asked in [SMCCC_VERSION, ARCH_FEATURES] {
        feature(door, asked, code(0));
    }
    feature(door, PV_TIME_FEATURES, if profile.has_pv_time() { code(0) } else { REFUSED });
    feature(door, ARCH_SOC_ID, if profile.soc.is_some() { code(0) } else { REFUSED });
    for asked in [ARCH_SOC_ID | SMC64, SMCCC_VERSION | SMC64, PV_TIME_ST, VENDOR_FEATURES, VENDOR_UID] {
        feature(door, asked, REFUSED);
    }
    for asked in model::TRNG.into_iter().chain([VENDOR_PTP, PSCI_VERSION, PSCI_FEATURES, 0, u32::MAX]) {
        feature(door, asked, REFUSED);
    }
    let upper = JUNK | u64::from(SMCCC_VERSION);
    door.expect(format_args!("arch/features with upper x1"), ARCH_FEATURES.into(), [upper, 0, 0], code(0));
}

/// Version and revision of the SoC, if this VM is told of one.
fn soc(door: &Door, profile: &Profile) {
    let Some([version, revision]) = profile.soc else {
        return door.refused(format_args!("arch/no SoC"), ARCH_SOC_ID.into(), [0; 3]);
    };
    for (kind, value) in [(0, [version, 0, 0, 0]), (1, [revision, 0, 0, 0])] {
        door.expect(format_args!("arch/SoC {kind}"), ARCH_SOC_ID.into(), [kind, JUNK, 7], value);
        door.expect(format_args!("arch/SoC {kind}, upper half of x1"), ARCH_SOC_ID.into(), [JUNK | kind, 0, 0], value);
    }
    for kind in [2, 3, u64::from(u32::MAX)] {
        let wrong = code(SMCCC_INVALID_PARAMETER);
        door.expect(format_args!("arch/SoC {kind:#x}"), ARCH_SOC_ID.into(), [kind, 0, 0], wrong);
    }
}

fn feature(door: &Door, asked: u32, expected: [u64; 4]) {
    door.expect(format_args!("arch/features {asked:#x}"), ARCH_FEATURES.into(), [asked.into(), 0, 0], expected);
}

/// What the board knows of a vulnerability is not the profile's business, but discovery and call have to agree: absent
/// (-1) means refused, present (0 or 1) means callable; -2 (workaround 2) means not to be called.
fn workaround(door: &Door, function: u32) {
    let legal: &[u64] = if function == ARCH_WORKAROUND_2 {
        &[0, 1, SMCCC_NOT_REQUIRED as u64, REFUSED[0]]
    } else {
        &[0, 1, REFUSED[0]]
    };
    let name = format_args!("arch/features {function:#x}");
    let asked = [function.into(), 0, 0];
    let answer = door.satisfies(name, ARCH_FEATURES.into(), asked, "a level and zeros", |x| {
        legal.contains(&x[0]) && x[1..] == [0; 3]
    });
    let call = door.call(function.into(), [0; 3]);
    let agrees = match answer.x[0] {
        0 | 1 => call.x[0] == 0,
        level if level == REFUSED[0] => call.x == REFUSED,
        _ => true,
    };
    let expected = "what the discovery announced, with x4 to x30 kept";
    let name = format_args!("{}/arch/workaround {function:#x}", door.name());
    report::holds(name, agrees && call.changed.is_none(), expected, &call);
}
