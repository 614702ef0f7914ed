//! PV time (DEN0057): discovery and the stolen time structure.

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, mmio};
use portcullis_abi::function::*;
use portcullis_abi::map::{PV_TIME, PV_TIME_STRIDE};

use crate::guest::door::{Door, JUNK, REFUSED, code};
use crate::guest::report;

/// Time between two looks at the structure, in microseconds.
const PAUSE: u64 = 5_000;

/// The cases of this service on this vCPU.
pub fn run(door: &Door, profile: &Profile) {
    if !profile.has_pv_time() {
        for function in [PV_TIME_FEATURES, PV_TIME_ST] {
            door.refused(format_args!("pv-time/denied {function:#x}"), function.into(), [PV_TIME_ST.into(), 0, 0]);
        }
        return;
    }
    for asked in [PV_TIME_FEATURES, PV_TIME_ST] {
        features(door, asked.into(), code(0));
    }
    for asked in [PV_TIME_FEATURES & !SMC64, PV_TIME_ST & !SMC64, TRNG_RND64, SMCCC_VERSION, 0] {
        features(door, asked.into(), REFUSED);
    }
    features(door, JUNK | u64::from(PV_TIME_ST), code(0));
    structure(door);
}

fn features(door: &Door, asked: u64, expected: [u64; 4]) {
    door.expect(format_args!("pv-time/features {asked:#x}"), PV_TIME_FEATURES.into(), [asked, 0, 0], expected);
}

/// The structure of this vCPU: where the guest's map has it, 64-byte aligned and outside RAM, with revision and
/// attributes 0 and a stolen time that never falls. Reading it is not counted as a case if it is somewhere else.
pub fn structure(door: &Door) {
    let number = cpu::index() as u64;
    let address = PV_TIME + number * PV_TIME_STRIDE;
    let case = |what: &str, expected: u64, got: u64| {
        report::equal(format_args!("{}/pv-time/vCPU {number} {what}", door.name()), expected, got);
    };
    let place = [address, 0, 0, 0];
    door.expect(format_args!("pv-time/vCPU {number} structure"), PV_TIME_ST.into(), [0; 3], place);
    door.expect(format_args!("pv-time/vCPU {number} structure again"), PV_TIME_ST.into(), [JUNK; 3], place);
    if door.call(PV_TIME_ST.into(), [0; 3]).x[0] != address {
        return;
    }
    let stolen = || mmio::read64(address + 8);
    let first = stolen();
    counter::delay(PAUSE);
    let second = stolen();
    let name = format_args!("{}/pv-time/vCPU {number} stolen time", door.name());
    report::holds(name, first <= second && second >> 63 == 0, "a time that does not fall", &(first, second));
    case("revision", 0, mmio::read32(address).into());
    case("attributes", 0, mmio::read32(address + 4).into());
    let padding = (16..64).step_by(8).fold(0, |bits, offset| bits | mmio::read64(address + offset));
    case("padding", 0, padding);
}
