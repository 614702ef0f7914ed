//! Registers of the GICv3 distributor and redistributors (Arm IHI 0069 section 12).

use conformance::profile::Profile;
use guest_runtime::gic::{self, register::*};
use guest_runtime::mmio;
use portcullis_abi::map::{GICD, UART_INTID};

use crate::guest::report;

/// Architecture revision in PIDR2 of a GICv3.
const REVISION: u32 = 3;
/// An SPI that no device uses.
pub const SPARE: u32 = 45;

/// The cases of the registers, as vCPU 0 sees them.
pub fn run(profile: &Profile) {
    let typer = mmio::read32(GICD + GICD_TYPER);
    let lines = 32 * ((typer & 0x1f) + 1);
    let range = 64..=1020;
    report::holds(format_args!("gic/lines"), range.contains(&lines), "lines from 64 to 1020", &lines);
    report::holds(format_args!("gic/no LPIs"), typer >> 17 & 1 == 0, "LPIS clear in GICD_TYPER", &typer);
    let control = mmio::read32(GICD + CTLR);
    report::holds(
        format_args!("gic/control"),
        control & 0x8000_0012 == 0x12,
        "ARE and group 1, no write pending",
        &control,
    );
    equal("revision of the distributor", REVISION, mmio::read32(GICD + PIDR2) >> 4 & 0xf);
    redistributors(profile);
    common(&[5, 27, UART_INTID, SPARE]);
    for number in 0..profile.cpus {
        gic::route(SPARE, number);
        report::equal(format_args!("gic/route {number}"), number as u64, gic::routed_to(SPARE));
    }
    gic::route(SPARE, 0);
}

/// One redistributor for each vCPU, of which the last one says so.
pub fn redistributors(profile: &Profile) {
    for number in 0..profile.cpus {
        let frame = gic::redistributor(number);
        let typer = mmio::read64(frame + GICR_TYPER);
        let last = u64::from(number + 1 == profile.cpus);
        let expected = (number as u64, number as u64, last);
        let name = format_args!("gic/redistributor {number}");
        report::equal(name, expected, (typer >> 32, typer >> 8 & 0xffff, typer >> 4 & 1));
        let name = format_args!("gic/revision of redistributor {number}");
        report::equal(name, REVISION, mmio::read32(frame + PIDR2) >> 4 & 0xf);
    }
}

/// The registers that every GIC has, for these interrupts.
pub fn common(intids: &[u32]) {
    for &intid in intids {
        bits(intid);
        priority(intid);
    }
    for edge in [true, false] {
        gic::set_edge(SPARE, edge);
        let configuration = mmio::read32(gic::frame(SPARE) + ICFGR + u64::from(SPARE / 16) * 4) >> (SPARE % 16 * 2);
        report::equal(format_args!("gic/edge {edge}"), edge, configuration & 2 != 0);
    }
}

fn equal(name: &str, expected: u32, got: u32) {
    report::equal(format_args!("gic/{name}"), expected, got);
}

/// Enable and pending: set by one register, cleared by the other, shown by both, and no neighbour moves. The timer's
/// line follows its source, so that its pending state is left out.
fn bits(intid: u32) {
    let pairs: &[(&str, u64, u64)] = if intid == 27 || intid == UART_INTID {
        &[("enable", ISENABLER, ICENABLER)]
    } else {
        &[("enable", ISENABLER, ICENABLER), ("pending", ISPENDR, ICPENDR)]
    };
    // Pending it must not be delivered: interrupts are masked and it is disabled then.
    for &(what, set, clear) in pairs {
        let rest = mmio::read32(gic::word(set, intid)) & !(1 << (intid % 32));
        let state = || {
            let (by_set, by_clear) = (mmio::read32(gic::word(set, intid)), mmio::read32(gic::word(clear, intid)));
            (gic::is_set(set, intid), gic::is_set(clear, intid), by_set & !(1 << (intid % 32)), by_clear == by_set)
        };
        mmio::write32(gic::word(clear, intid), 1 << (intid % 32));
        let low = state();
        mmio::write32(gic::word(set, intid), 1 << (intid % 32));
        let high = state();
        mmio::write32(gic::word(set, intid), 0);
        let kept = state();
        mmio::write32(gic::word(clear, intid), 1 << (intid % 32));
        let off = (false, false, rest, true);
        let on = (true, true, rest, true);
        report::equal(format_args!("gic/{what} {intid}"), (off, on, on, off), (low, high, kept, state()));
    }
}

/// Priorities: each byte on its own; at least the upper four bits are kept (IHI 0069 section 4.8).
fn priority(intid: u32) {
    let neighbour = gic::priority(intid + 1);
    let mut fits = true;
    for value in [0x00, 0x50, 0xa0, 0xf0] {
        gic::set_priority(intid, value);
        fits &= gic::priority(intid) == value;
    }
    gic::set_priority(intid, gic::PRIORITY_DEFAULT);
    let got = (gic::priority(intid), gic::priority(intid + 1));
    let fits = fits && got == (gic::PRIORITY_DEFAULT, neighbour);
    report::holds(format_args!("gic/priority {intid}"), fits, "priorities that read as written", &got);
}
