//! The distributor's registers: what cannot be written, priorities, targets.

use conformance::profile::Profile;
use guest_runtime::gic::v2::register::{GICD_PIDR2, ITARGETSR};
use guest_runtime::gic::{self, register::*};
use guest_runtime::mmio;
use portcullis_abi::map::GICD;

use crate::guest::report;

/// GICD_IIDR.
const IIDR: u64 = 8;
/// What is written where nothing may change.
const PATTERN: u32 = 0x5a5a_a5a5;
/// Registers with a byte an interrupt end where INTIDs do.
const INTIDS: u32 = 1020;
/// Bits of a priority that there are at least (IHI 0048 and 0069, 4.8).
const PRIORITY_BITS: u32 = 4;

/// The cases.
pub fn run(profile: &Profile) {
    let typer = mmio::read32(GICD + GICD_TYPER);
    let lines = (32 * ((typer & 0x1f) + 1)).min(INTIDS);
    for (name, offset) in
        [("GICD_TYPER", GICD_TYPER), ("GICD_IIDR", IIDR), ("ICPIDR2", if profile.gicv2 { GICD_PIDR2 } else { PIDR2 })]
    {
        let before = mmio::read32(GICD + offset);
        let after = [PATTERN, !before, 0, before ^ 1].map(|value| {
            mmio::write32(GICD + offset, value);
            mmio::read32(GICD + offset)
        });
        report::equal(format_args!("gic/mmio, {name} is read-only"), [before; 4], after);
    }
    let with_interface = if profile.gicv2 {
        (typer >> 5 & 7) as usize + 1
    } else {
        // The one that says that it is the last.
        let last = |index: usize| mmio::read64(gic::redistributor(index) + GICR_TYPER) >> 4 & 1 != 0;
        (0..profile.cpus).find(|&index| last(index)).map_or(0, |index| index + 1)
    };
    report::equal(format_args!("gic/mmio, all CPUs have interrupts"), profile.cpus, with_interface);
    priorities(lines);
    beyond("IPRIORITYR", IPRIORITYR, lines);
    bytes("IPRIORITYR", IPRIORITYR, lines, 0xf0);
    set_all(IPRIORITYR, lines, u32::from_ne_bytes([gic::PRIORITY_DEFAULT; 4]));
    if profile.gicv2 {
        targets(profile, lines);
    }
}

/// Words of a register with a byte an interrupt, of SPIs.
fn words(lines: u32) -> impl Iterator<Item = u64> {
    (32..lines).step_by(4).map(u64::from)
}

fn set_all(register: u64, lines: u32, value: u32) {
    words(lines).for_each(|at| mmio::write32(GICD + register + at, value));
}

/// How many bits a priority has, the same ones in all.
fn priorities(lines: u32) {
    set_all(IPRIORITYR, lines, u32::MAX);
    let bits = mmio::read32(GICD + IPRIORITYR + 32);
    let alike = words(lines).all(|at| mmio::read32(GICD + IPRIORITYR + at) == bits)
        && bits.to_ne_bytes().iter().all(|byte| *byte == bits as u8);
    report::holds(format_args!("gic/mmio, IPRIORITYR, consistent priority masking"), alike, "the same bits", &bits);
    let count = (bits as u8).leading_ones();
    let top = bits as u8 == !(0xffu32 >> count) as u8;
    let fits = count >= PRIORITY_BITS && top;
    report::holds(format_args!("gic/mmio, IPRIORITYR, at least 4 priority bits"), fits, "the upper bits", &bits);
    set_all(IPRIORITYR, lines, 0);
    let cleared = words(lines).all(|at| mmio::read32(GICD + IPRIORITYR + at) == 0);
    report::equal(format_args!("gic/mmio, IPRIORITYR, cleared"), true, cleared);
}

/// Where there are no interrupts, zero is read whatever was written; the last ones are there.
fn beyond(name: &str, register: u64, lines: u32) {
    // The word behind the last INTID at least, if all of them are there.
    let wrong = (lines..INTIDS).step_by(4).map(u64::from).find(|at| {
        mmio::write32(GICD + register + at, u32::MAX);
        mmio::read32(GICD + register + at) != 0
    });
    report::equal(format_args!("gic/mmio, {name}, accesses beyond limit RAZ/WI"), None, wrong);
    let last = GICD + register + u64::from(lines - 4);
    let before = mmio::read32(last);
    let got = [0, before].map(|value| {
        mmio::write32(last, value);
        mmio::read32(last)
    });
    report::equal(format_args!("gic/mmio, {name}, accessing last SPIs"), [0, before], got);
}

/// Byte accesses, to an SPI in the middle of its word; `mask` has bits that all of them have.
fn bytes(name: &str, register: u64, lines: u32, mask: u8) {
    let word = GICD + register + u64::from((lines / 2) & !3);
    let value = u32::from_le_bytes([0x10, 0x20, 0x40, 0x80].map(|byte: u8| if mask < 0x10 { mask } else { byte }));
    mmio::write32(word, value);
    let read = [0, 1, 2, 3].map(|at| mmio::read8(word + at));
    report::equal(format_args!("gic/mmio, {name}, byte reads successful"), mmio::read32(word).to_le_bytes(), read);
    mmio::write8(word + 2, 0);
    let [a, b, _, d] = read;
    let got = mmio::read32(word).to_le_bytes();
    report::equal(format_args!("gic/mmio, {name}, byte writes successful"), [a, b, 0, d], got);
}

/// Each byte has a bit for each vCPU, and no others.
fn targets(profile: &Profile, lines: u32) {
    let vcpus = (1u32 << profile.cpus) - 1;
    let all = vcpus * 0x0101_0101;
    set_all(ITARGETSR, lines, u32::MAX);
    let wrong = words(lines).find(|at| mmio::read32(GICD + ITARGETSR + at) != all);
    report::equal(format_args!("gic/mmio, ITARGETSR, bits for non-existent CPUs masked"), None, wrong);
    beyond("ITARGETSR", ITARGETSR, lines);
    bytes("ITARGETSR", ITARGETSR, lines, vcpus as u8 & 0xf);
    set_all(ITARGETSR, lines, 0);
}
