//! Identity and feature word of the vendor-specific hypervisor services, as Linux knows them from KVM.

use conformance::profile::Profile;
use portcullis_abi::function::*;

use crate::guest::door::{Door, JUNK};

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
    // Announced at most, never served.
    for function in [VENDOR_IMPL_VERSION, VENDOR_IMPL_CPUS] {
        door.refused(format_args!("vendor/absent {function:#x}"), function.into(), [0; 3]);
    }
}
