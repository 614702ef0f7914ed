//! Calls that nobody serves: unknown functions of every owner, reserved bits, yielding calls, other immediates, and a
//! conduit that is closed.

use conformance::model::{self, OWNER_SHIFT};
use conformance::profile::Profile;
use guest_runtime::call::Immediate;
use portcullis_abi::function::*;

use crate::guest::door::{Answer, Door, REFUSED};
use crate::guest::report;

/// The general queries of every owner (DEN0028 section 6.2): call count, UID, revision.
const QUERIES: [u32; 3] = [0xff00, 0xff01, 0xff03];
/// Function numbers of an owner that are tried one by one.
const NUMBERS: u32 = 0x200;
/// What kvm-unit-tests takes for a function that nobody has.
const INVALID: u64 = 1337;
/// Functions that everything is tried with: one per service, and the ones that the hypervisor's fast path answers.
const SAMPLES: [u32; 9] = [
    SMCCC_VERSION,
    ARCH_FEATURES,
    ARCH_WORKAROUND_1,
    PSCI_VERSION,
    TRNG_VERSION,
    PV_TIME_ST,
    VENDOR_UID,
    VENDOR_FEATURES,
    VENDOR_PTP,
];

/// The cases of an open conduit.
pub fn run(door: &Door, profile: &Profile) {
    for owner in 0..64 {
        let base = 1 << 31 | owner << OWNER_SHIFT;
        let numbers = (0..NUMBERS).chain(QUERIES).chain([0x7777, 0xffff]);
        let ids = numbers.flat_map(|number| [base | number, base | number | SMC64]);
        let ids = ids.filter(|&id| !model::is_served(id, profile) && !model::WORKAROUNDS.contains(&id));
        sweep(door, format_args!("owner {owner}"), ids.clone().filter(|&id| !model::is_drastic(id)));
        sweep(
            door,
            format_args!("yielding, owner {owner}"),
            [0, 1, 0x50, 0xff01, 0xffff].into_iter().flat_map(|number| {
                let id = owner << OWNER_SHIFT | number;
                [id, id | SMC64]
            }),
        );
    }
    for bit in 16..24 {
        sweep(door, format_args!("reserved bit {bit}"), SAMPLES.into_iter().map(|id| id | 1 << bit));
    }
    door.refused(format_args!("unknown/invalid function"), INVALID, [0; 3]);
    immediates(door);
}

/// The cases of a closed conduit.
pub fn closed(door: &Door) {
    for function in SAMPLES.into_iter().chain(model::TRNG).chain([PSCI_FEATURES, PSCI_SYSTEM_OFF, PV_TIME_FEATURES]) {
        door.refused(format_args!("closed {function:#x}"), function.into(), [SMCCC_VERSION.into(), 0, 0]);
    }
    immediates(door);
}

fn immediates(door: &Door) {
    for immediate in [Immediate::One, Immediate::Max] {
        for function in SAMPLES {
            let answer = door.call_with(immediate, function.into(), [0; 3]);
            let name = format_args!("{}/immediate {immediate:?} {function:#x}", door.name());
            report::equal(name, Answer { x: REFUSED, changed: None }, answer);
        }
    }
}

/// One case for many calls: all are refused.
fn sweep(door: &Door, name: core::fmt::Arguments, ids: impl Iterator<Item = u32>) {
    let expected = Answer { x: REFUSED, changed: None };
    for id in ids {
        let answer = door.call(id.into(), [0; 3]);
        if answer != expected {
            let name = format_args!("{}/unknown, {name}", door.name());
            return report::fail(name, &format_args!("{id:#x} refused"), &answer);
        }
    }
    report::pass(format_args!("{}/unknown, {name}", door.name()));
}
