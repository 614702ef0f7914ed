//! The PL031 (Arm DDI 0224).

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic, mmio, tree};
use portcullis_abi::map::{RTC, RTC_INTID};

use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::report;

/// Data register: seconds since 1970.
pub const DR: u64 = RTC;
/// Match register.
pub const MR: u64 = RTC + 0x04;
/// Load register.
pub const LR: u64 = RTC + 0x08;
/// Control register.
const CR: u64 = RTC + 0x0c;
/// Interrupt mask.
pub const IMSC: u64 = RTC + 0x10;
/// Raw interrupt status.
pub const RIS: u64 = RTC + 0x14;
/// Masked interrupt status.
const MIS: u64 = RTC + 0x18;
/// Interrupt clear register.
const ICR: u64 = RTC + 0x1c;
/// Peripheral and PrimeCell identification, a byte in each of eight words.
const IDENTIFICATION: u64 = RTC + 0xfe0;
/// The clock's node.
const NODE: &str = "/pl031@9010000";
/// 2024-01-01 and 2100-01-01 in seconds since 1970.
const YEARS: core::ops::Range<u32> = 1_704_067_200..4_102_444_800;
/// A time that a guest sets.
const SET: u32 = 1_000_000;

/// Whether this VM has a clock.
pub fn is_there() -> bool {
    tree::string(NODE, "compatible").is_some()
}

/// The cases.
pub fn run(profile: &Profile) {
    report::equal(format_args!("rtc/in the tree"), profile.rtc, is_there());
    if !is_there() {
        return;
    }
    report::equal(
        format_args!("rtc/node"),
        (Some(RTC), Some((RTC_INTID, false))),
        (tree::address(NODE), tree::interrupt(NODE)),
    );
    let mut identification = [0; 8];
    for (number, byte) in identification.iter_mut().enumerate() {
        *byte = mmio::read32(IDENTIFICATION + 4 * number as u64);
    }
    let expected = [0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1];
    report::equal(format_args!("rtc/identification"), expected, identification);
    let now = mmio::read32(DR);
    report::holds(format_args!("rtc/year"), YEARS.contains(&now), "a time from 2024 to 2099", &now);
    mmio::write32(CR, 0);
    report::equal(format_args!("rtc/runs"), 1, mmio::read32(CR));
    let goes_on = counter::wait_until(PATIENCE, || mmio::read32(DR).wrapping_sub(now) > 0);
    report::equal(format_args!("rtc/goes on"), true, goes_on);
    load();
    masked();
    if profile.gic {
        alarm();
    }
    // As it was, but for what has passed meanwhile.
    let passed = mmio::read32(DR).wrapping_sub(SET);
    mmio::write32(LR, now.wrapping_add(passed));
    mmio::write32(MR, 0);
    mmio::write32(IMSC, 0);
}

/// The clock goes on from what is loaded.
fn load() {
    mmio::write32(LR, SET);
    let (shown, loaded) = (mmio::read32(DR), mmio::read32(LR));
    let close = shown.wrapping_sub(SET) <= 2;
    report::holds(format_args!("rtc/loaded"), close && loaded == SET, "the time that was loaded", &(shown, loaded));
}

/// Sets alarm and clock, in this order: no second comes between them.
fn set(alarm: u32, clock: u32) {
    mmio::write32(MR, alarm);
    mmio::write32(ICR, 1);
    mmio::write32(LR, clock);
}

/// An alarm that is masked is seen in RIS only, once its time is there.
fn masked() {
    mmio::write32(IMSC, 0);
    mmio::write32(MR, mmio::read32(DR).wrapping_sub(10));
    report::equal(format_args!("rtc/alarm of the past"), 0, mmio::read32(RIS));
    set(SET + 1, SET);
    let raised = counter::wait_until(PATIENCE, || mmio::read32(RIS) == 1);
    let masked = mmio::read32(MIS);
    mmio::write32(ICR, 1);
    report::equal(format_args!("rtc/alarm masked, cleared"), (true, 0, 0), (raised, masked, mmio::read32(RIS)));
}

/// Has the clock interrupt vCPU 0 when it shows `at`, in seconds since 1970.
pub fn set_alarm(at: u32) {
    gic::set_edge(RTC_INTID, false);
    gic::route(RTC_INTID, 0);
    gic::enable(RTC_INTID);
    mmio::write32(MR, at);
    mmio::write32(ICR, 1);
    mmio::write32(IMSC, 1);
}

/// An alarm interrupts once, in its second or when it is set to what the clock shows.
fn alarm() {
    interrupts::clear();
    gic::set_edge(RTC_INTID, false);
    gic::route(RTC_INTID, 0);
    gic::enable(RTC_INTID);
    for (name, at) in [("at once", 0), ("in its second", 1)] {
        interrupts::clear();
        set(SET + at, SET);
        mmio::write32(IMSC, 1);
        let came = cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, RTC_INTID) > 0));
        let shown = mmio::read32(DR).wrapping_sub(SET) >= at;
        let got = (came, shown, interrupts::total(), mmio::read32(RIS));
        report::equal(format_args!("rtc/alarm {name}"), (true, true, 1, 0), got);
    }
    gic::disable(RTC_INTID);
}
