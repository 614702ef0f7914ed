//! The cases: one file for each service and each emulated device.

mod architecture;
pub mod distributor;
mod gicv2;
mod identification;
mod lifecycle;
mod psci;
pub mod ptp;
pub mod pv_time;
pub mod rtc;
mod sgi;
mod spi;
mod timer;
mod trng;
mod uart;
mod unknown;
mod unused;
mod vendor;
pub mod watchdog;

use conformance::profile::Profile;
use guest_runtime::gic;
use guest_runtime::power::Conduit;

use crate::guest::door::Door;
use crate::guest::{moves, report};

/// Runs every case that the command line wants.
pub fn run(profile: &Profile) {
    if profile.is_moved {
        moves::begin();
    }
    if profile.wants("id") {
        identification::run(profile);
    }
    for conduit in [Conduit::Hvc, Conduit::Smc] {
        let door = Door::new(conduit);
        let open = profile.is_open(conduit == Conduit::Hvc);
        if profile.wants("services") {
            if open { services(&door, profile) } else { unknown::closed(&door) }
        }
        if profile.wants("lifecycle") && open {
            lifecycle::run(&door, profile);
        }
    }
    if profile.wants("uart") {
        uart::run(profile);
    }
    if profile.wants("devices") {
        unused::run();
        rtc::run(profile);
    }
    if profile.wants("gic") && profile.gic {
        report::equal(format_args!("gic/version"), if profile.gicv2 { 2 } else { 3 }, gic::version());
        if profile.gicv2 {
            gicv2::distributor(profile)
        } else {
            distributor::run(profile)
        }
        timer::run(profile);
        sgi::run(profile);
        if profile.gicv2 {
            gicv2::sgis(profile);
        }
        spi::run(profile);
    }
}

/// Makes every call of every service through one open door.
pub fn services(door: &Door, profile: &Profile) {
    architecture::run(door, profile);
    psci::run(door, profile);
    trng::run(door, profile);
    pv_time::run(door, profile);
    vendor::run(door, profile);
    ptp::run(door, profile);
    watchdog::run(door, profile);
    unknown::run(door, profile);
}
