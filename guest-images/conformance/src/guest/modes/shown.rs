//! The CPU that this VM is shown, by the registers that the command line expects: MIDR_EL1 (`midr`), CTR_EL0 (`ctr`),
//! ID_AA64ISAR0_EL1 (`isar0`). They are read again and again, for `seconds`, in which neighbours on the core that are shown another
//! one have their turns, or the VM is moved.

use core::arch::{asm, naked_asm};

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu};

use crate::guest::excursion::{EL0, FROM_EL0, Trip};
use crate::guest::report;

/// SCTLR_EL1.UCT: EL0 may read CTR_EL0.
const UCT: u64 = 1 << 15;
/// ESR_EL1.EC of an SVC from AArch64.
const SVC: u64 = 0x15;
/// Rounds that are to be made at the least.
const ROUNDS: u64 = 100;

macro_rules! read {
    ($register:literal) => {{
        let value: u64;
        // SAFETY: identification registers are constants.
        unsafe { asm!(concat!("mrs {}, ", $register), out(reg) value, options(nomem, nostack)) };
        value
    }};
}

/// The cases.
pub fn run(profile: &Profile) {
    let [midr, revidr, aidr] = cpu::identity();
    report::equal(format_args!("shown/MIDR_EL1"), profile.midr.unwrap_or(midr), midr);
    report::equal(format_args!("shown/REVIDR_EL1 and AIDR_EL1"), [0, 0], [revidr, aidr]);
    let (caches, instructions) = (read!("ctr_el0"), read!("id_aa64isar0_el1"));
    report::equal(format_args!("shown/CTR_EL0"), profile.ctr.unwrap_or(caches), caches);
    report::equal(format_args!("shown/ID_AA64ISAR0_EL1"), profile.isar0.unwrap_or(instructions), instructions);
    let (programs, end) = at_el0();
    report::equal(format_args!("shown/CTR_EL0 at EL0"), (caches, FROM_EL0, SVC), (programs, end.0, end.1));
    report::holds(format_args!("shown/CLIDR_EL1"), read!("clidr_el1") & 7 != 0, "a first level", &read!("clidr_el1"));
    select(0);
    let data = read!("ccsidr_el1");
    report::holds(format_args!("shown/CCSIDR_EL1"), data & 7 <= 4, "lines of 256 bytes at the most", &data);
    select(1);
    report::equal(format_args!("shown/CSSELR_EL1"), 1, read!("csselr_el1"));
    let before = look();
    let (mut rounds, mut others) = (0, 0);
    let deadline = counter::virtual_count() + counter::ticks(profile.seconds * 1_000_000);
    console::line(format_args!("shown: MIDR_EL1 {midr:#x}, CTR_EL0 {caches:#x}, ID_AA64ISAR0_EL1 {instructions:#x}"));
    while counter::virtual_count() < deadline {
        rounds += 1;
        others += u64::from(look() != before);
        counter::delay(1_000);
    }
    report::equal(format_args!("shown/it stays the same"), 0, others);
    report::holds(format_args!("shown/it was looked at often"), rounds >= ROUNDS, "many times", &rounds);
}

/// What is not to change.
fn look() -> [u64; 7] {
    let [midr, revidr, aidr] = cpu::identity();
    let features = [read!("id_aa64isar0_el1"), read!("id_aa64pfr0_el1")];
    [midr, revidr, aidr, read!("ctr_el0"), features[0], features[1], read!("csselr_el1")]
}

fn select(cache: u64) {
    // SAFETY: it says which cache CCSIDR_EL1 describes.
    unsafe { asm!("msr csselr_el1, {}", "isb", in(reg) cache, options(nomem, nostack)) };
}

/// CTR_EL0 as EL0 reads it, and how that ended: vector and class of the exception.
fn at_el0() -> (u64, (u64, u64)) {
    let control = read!("sctlr_el1");
    // SAFETY: it lets EL0 read a register.
    unsafe { asm!("msr sctlr_el1, {}", "isb", in(reg) control | UCT, options(nomem, nostack)) };
    let trip = Trip::to(program as *const () as u64, EL0).make();
    // SAFETY: as it was.
    unsafe { asm!("msr sctlr_el1, {}", "isb", in(reg) control, options(nomem, nostack)) };
    (trip.x[0], (trip.slot, trip.syndrome >> 26 & 0x3f))
}

/// What EL0 executes.
#[unsafe(naked)]
extern "C" fn program() {
    naked_asm!("mrs x0, ctr_el0", "svc #0")
}
