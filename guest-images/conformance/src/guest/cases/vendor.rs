//! Identity and feature word of the vendor-specific hypervisor services, as Linux knows them from KVM.

use conformance::profile::Profile;
use guest_runtime::cpu;
use portcullis_abi::function::*;
use portcullis_abi::result::SMCCC_INVALID_PARAMETER;

use crate::guest::door::{Door, JUNK, REFUSED, code};
use crate::guest::report;

/// The cases of this service.
pub fn run(door: &Door, profile: &Profile) {
    let dirty = [JUNK, u64::MAX, 1];
    if profile.has_vendor_identity() {
        let uid = VENDOR_UID_WORDS.map(u64::from);
        let features = [profile.vendor_hyp, 0, profile.vendor_hyp_2, 0];
        for (state, arguments) in [("", [0; 3]), (" with dirty arguments", dirty)] {
            door.expect(format_args!("vendor/uid{state}"), VENDOR_UID.into(), arguments, uid);
            door.expect(format_args!("vendor/features{state}"), VENDOR_FEATURES.into(), arguments, features);
        }
    } else {
        for (state, arguments) in [("", [0; 3]), (" with dirty arguments", dirty)] {
            door.refused(format_args!("vendor/uid denied{state}"), VENDOR_UID.into(), arguments);
            door.refused(format_args!("vendor/features denied{state}"), VENDOR_FEATURES.into(), arguments);
        }
    }
    implementations(door, profile);
}

/// The CPUs that this VM may find itself on.
fn implementations(door: &Door, profile: &Profile) {
    let (version, cpus) = (u64::from(VENDOR_IMPL_VERSION), u64::from(VENDOR_IMPL_CPUS));
    let count = profile.implementations;
    for (state, arguments) in [("", [0; 3]), (" with dirty arguments", [JUNK, u64::MAX, 1])] {
        let expected = if profile.has_impl_version() { [0, IMPL_VERSION_1_0.into(), count, 0] } else { REFUSED };
        door.expect(format_args!("vendor/implementations{state}"), version, arguments, expected);
    }
    if !profile.has_impl_cpus() {
        return door.refused(format_args!("vendor/implementation denied"), cpus, [0; 3]);
    }
    let here = cpu::identity();
    let told = |index| door.call(cpus, [index, 0, 0]).x;
    let own = (0..count).any(|index| told(index) == [0, here[0], here[1], here[2]]);
    let name = format_args!("{}/vendor/this CPU is among the implementations", door.name());
    report::holds(name, own, "MIDR_EL1, REVIDR_EL1 and AIDR_EL1 as read here", &here);
    for index in 0..count {
        let others = (0..count).filter(|&other| other != index);
        let once = told(index)[0] == 0 && others.into_iter().all(|other| told(other) != told(index));
        report::holds(
            format_args!("{}/vendor/implementation {index}", door.name()),
            once,
            "one of its own",
            &told(index),
        );
    }
    let name = format_args!("{}/vendor/the last implementation's MIDR", door.name());
    report::equal(name, profile.midr.unwrap_or(here[0]), told(count.wrapping_sub(1))[1]);
    let wrong = code(SMCCC_INVALID_PARAMETER);
    for index in [count, 16, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        door.expect(format_args!("vendor/implementation {index:#x}"), cpus, [index, 0, 0], wrong);
    }
    for zeros in [[1, 0], [0, 1], [1 << 63, 0], [0, JUNK]] {
        door.expect(format_args!("vendor/implementation 0, x2, x3 {zeros:x?}"), cpus, [0, zeros[0], zeros[1]], wrong);
    }
}
