//! SYSTEM_RESET and SYSTEM_RESET2: the VM starts again from its images, behind the same door.
//!
//! Which boot this is stands in memory beyond the image, which a reset of Portcullis or of QEMU leaves alone (only the
//! images are written again). Where it is lost, the guest resets for ever, and every boot says it is number 0: the host
//! counts the `boot:` lines and sets a time limit.

use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::gic::{self, register::*};
use guest_runtime::{console, counter, cpu, mmio, power, tree};
use portcullis_abi::function::*;
use portcullis_abi::map::{GICD, UART};

use crate::guest::cases::{distributor::SPARE, rtc};
use crate::guest::door::Door;
use crate::guest::{cases, report};

const MAGIC: u64 = 0x706f_7274_6375_6c6c;
/// PL011 interrupt mask.
const UART_IMSC: u64 = UART + 0x38;

/// What the clock is set to, in seconds, and longer than any run takes.
const SET: u32 = 1_000_000;
const LONG: u32 = 100_000;

/// Survives a reset, as long as the memory does. A magic number, the boots so far, and the last one's seeds.
#[repr(align(64))]
struct Marker {
    magic: AtomicU64,
    boots: AtomicU64,
    /// `kaslr-seed`, and the first eight bytes of `rng-seed`; zeros where there is none.
    seeds: [AtomicU64; 2],
}

// SAFETY: the linker script places the section in memory that nothing else uses and that nobody clears; every value of
// its bits is one of the type.
#[unsafe(link_section = ".noinit")]
static MARKER: Marker =
    Marker { magic: AtomicU64::new(0), boots: AtomicU64::new(0), seeds: [const { AtomicU64::new(0) }; 2] };

/// One boot of the run. The GIC is as the reset left it.
pub fn run(profile: &Profile) {
    let boot = boots();
    console::line(format_args!("boot: {boot}"));
    fresh(boot, profile);
    if boot != 0 {
        has_other_seeds(profile);
    }
    if profile.wants("services") {
        cases::services(&Door::new(power::conduit()), profile);
    }
    if boot < profile.resets {
        note(boot + 1);
        soil(profile);
        by_call(boot, profile);
    } else {
        note(0);
    }
}

/// How often this run has booted before.
pub fn boots() -> u64 {
    if MARKER.magic.load(SeqCst) == MAGIC { MARKER.boots.load(SeqCst) } else { 0 }
}

/// The seeds of this boot, as [`Marker`] has them.
pub fn seeds() -> [u64; 2] {
    ["kaslr-seed", "rng-seed"].map(|name| {
        let seed = tree::property("/chosen", name).and_then(|seed| seed.first_chunk());
        seed.map_or(0, |bytes| u64::from_be_bytes(*bytes))
    })
}

/// Cases of a boot that is not the first one: its seeds are others than the last one's, if it has any.
pub fn has_other_seeds(profile: &Profile) {
    for (name, seed, last) in
        [("kaslr-seed", 0), ("rng-seed", 1)].map(|(name, at)| (name, seeds()[at], MARKER.seeds[at].load(SeqCst)))
    {
        let other = seed != last && seed != 0 && last != 0;
        let none = seed == 0 && last == 0;
        let right = if profile.has_seeds() { other } else { none };
        report::holds(format_args!("reset/{name}"), right, "another one than before, if there is any", &(last, seed));
    }
}

/// Notes that for the next boot.
pub fn note(boots: u64) {
    for (cell, seed) in MARKER.seeds.iter().zip(seeds()) {
        cell.store(seed, SeqCst);
    }
    MARKER.boots.store(boots, SeqCst);
    MARKER.magic.store(MAGIC, SeqCst);
    // SAFETY: cleans one line of the guest's own memory, so that a reset that drops caches finds it.
    unsafe { asm!("dc civac, {}", "dsb sy", in(reg) &raw const MARKER, options(nostack)) };
}

/// Nothing of an earlier life is left in the devices, and the other vCPU is off.
fn fresh(boot: u64, profile: &Profile) {
    report::equal(format_args!("reset/boot {boot} uart"), 0, mmio::read32(UART_IMSC));
    if profile.gic {
        let enabled = mmio::read32(GICD + CTLR) & 0b11;
        let got = (enabled, gic::is_set(ISENABLER, SPARE), gic::is_set(ISPENDR, SPARE), gic::is_set(ISENABLER, 27));
        report::equal(format_args!("reset/boot {boot} gic"), (0, false, false, false), got);
    }
    if rtc::is_there() {
        let got = [rtc::MR, rtc::IMSC, rtc::RIS].map(mmio::read32);
        report::equal(format_args!("reset/boot {boot} clock's alarm"), [0; 3], got);
        let (shown, expected) =
            (mmio::read32(rtc::DR), if boot == 0 { "the time of day" } else { "the time that was set" });
        let own = shown.wrapping_sub(SET) < LONG;
        report::holds(format_args!("reset/boot {boot} clock"), own == (boot != 0), expected, &shown);
    }
    if profile.cpus > 1 {
        report::equal(format_args!("reset/boot {boot} other vCPU off"), true, power::is_off(1));
    }
}

/// Puts everything that [`fresh`] looks at in another state.
fn soil(profile: &Profile) {
    mmio::write32(UART_IMSC, 0x20);
    if profile.gic {
        gic::init_distributor();
        gic::init_cpu();
        gic::enable(SPARE);
        gic::set_pending(SPARE);
        gic::enable(27);
        counter::arm(1, counter::CONTROL_ENABLE);
    }
    if rtc::is_there() {
        mmio::write32(rtc::MR, SET);
        mmio::write32(rtc::IMSC, 1);
        mmio::write32(rtc::LR, SET);
    }
    if profile.cpus > 1 {
        let started = cpu::launch(1, || counter::delay(u64::MAX / 1_000_000), 0);
        report::equal(format_args!("reset/other vCPU started"), Ok(()), started);
    }
}

/// The reset itself, of another kind each time. It does not return.
pub fn by_call(boot: u64, profile: &Profile) {
    console::drain();
    let second = boot % 2 == 1 && profile.psci >= PSCI_VERSION_1_1;
    let function = if second { PSCI_SYSTEM_RESET2 | SMC64 } else { PSCI_SYSTEM_RESET };
    let answer = Door::new(power::conduit()).call(function.into(), [0; 3]);
    report::fail(format_args!("reset/{function:#x}"), &"no return", &answer);
}
