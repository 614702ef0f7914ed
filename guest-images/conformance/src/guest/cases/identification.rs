//! What the identification registers show of this vCPU.

use core::arch::asm;

use conformance::profile::Profile;
use guest_runtime::cpu;

use crate::guest::report;

macro_rules! read {
    ($register:literal) => {{
        let value: u64;
        // SAFETY: identification registers are constants.
        unsafe { asm!(concat!("mrs {}, ", $register), out(reg) value, options(nomem, nostack)) };
        value
    }};
}

/// A four-bit field.
fn field(register: u64, lowest: u32) -> u64 {
    register >> lowest & 0xf
}

/// The cases of this vCPU. Random numbers are had through the door only; vectors, matrices, tags and performance
/// counters are not offered.
pub fn run(profile: &Profile) {
    let features = read!("id_aa64pfr0_el1");
    absent("RNDR", field(read!("id_aa64isar0_el1"), 60));
    absent("SVE", field(features, 32));
    absent("MPAM", field(features, 40));
    absent("MTE", field(read!("id_aa64pfr1_el1"), 8));
    absent("SME", field(read!("id_aa64pfr1_el1"), 24));
    let counters = field(read!("id_aa64dfr0_el1"), 8);
    absent("PMU", if counters == 0xf { 0 } else { counters });
    absent("SPE", field(read!("id_aa64dfr0_el1"), 32));
    report::equal(format_args!("id/level"), 0b0100, read!("currentel"));
    if profile.gic {
        let interface = field(features, 24);
        if profile.gicv2 {
            report::equal(format_args!("id/GIC registers hidden"), 0, interface);
        } else {
            report::holds(format_args!("id/GIC"), interface != 0, "the system register interface", &interface);
        }
    }
    affinity();
}

fn absent(name: &str, value: u64) {
    report::equal(format_args!("id/{name} hidden"), 0, value);
}

/// MPIDR_EL1: bit 31 is RES1, Aff0 is the number of the vCPU, the other affinities and MT are 0.
pub fn affinity() {
    let mpidr = cpu::affinity();
    let number = cpu::index();
    let fits = mpidr & !(1 << 30) == 1 << 31 | number as u64;
    report::holds(format_args!("id/MPIDR of vCPU {number}"), fits, "Aff0 alone", &mpidr);
}
