//! A debugger in the guest goes through instructions that the hypervisor emulates, one at a time: each is one step, as it is on a
//! board. What else an instruction does to PSTATE: BTYPE, and the state of an IT block.

mod code;

use core::fmt::Arguments;

use conformance::profile::Profile;
use guest_runtime::{console, counter, gic};
use portcullis_abi::function::{ARCH_FEATURES, ARCH_WORKAROUND_1, PSCI_VERSION, SMCCC_VERSION, VENDOR_PTP};
use portcullis_abi::map::{GICD, TIMER_VIRTUAL_INTID, UART};

use self::code::Code;
use crate::guest::excursion::{EL0, FROM_AARCH32, FROM_EL0, FROM_EL1, T32, Trip};
use crate::guest::{report, tables};

/// UARTFR: a read changes nothing.
const FLAGS: u64 = UART + 0x18;
/// UARTFBRD: holds what is written.
const DIVISOR: u64 = UART + 0x28;
/// Neither RAM nor device in the guest's map.
const HOLE: u64 = 0x2000_0000;
/// MDSCR_EL1.SS and KDE: software step, at EL1 too.
const STEP: u64 = 1 | 1 << 13;
/// SPSR.SS: one instruction is to execute.
const SS: u64 = 1 << 21;
/// SPSR_EL1 of EL1h, SError, IRQ and FIQ masked, debug exceptions not.
const EL1: u64 = 0x1c5;
/// ESR_EL1.EC of a step, from a lower level; from this one it is one more.
const EC_STEP: u64 = 0x32;
/// ESR_EL1.EC of BRK of AArch64.
const EC_BREAK: u64 = 0x3c;
/// ESR_EL1.EC of SVC of AArch32.
const EC_SVC32: u64 = 0x11;
/// SPSR.Z.
const ZERO: u64 = 1 << 30;

/// Time until a WFI ends, in microseconds.
const NAP: u64 = 5_000;

/// Every case.
pub fn run(profile: &Profile) {
    console::line(format_args!("mode steps"));
    code::prepare();
    // What WFI waits for; it is masked.
    gic::enable(TIMER_VIRTUAL_INTID);
    at_el1(profile);
    at_el0();
    if code::has_bti() {
        behind_branches();
    }
    if code::has_aarch32() {
        in_t32();
    }
}

/// Makes the trip, in which a WFI has an interrupt to wait for.
fn make(trip: Trip) -> Trip {
    counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
    let end = trip.make();
    counter::set_control(0);
    end
}

/// The trip ends with the step exception behind the one instruction, which is `length` bytes long.
fn expect_step(name: Arguments, trip: Trip, slot: u64, length: u64) -> Trip {
    let class = if slot == FROM_EL1 { EC_STEP | 1 } else { EC_STEP };
    let expected = (slot, class, trip.pc + length, 0);
    let end = make(Trip { debug: STEP, spsr: trip.spsr | SS, ..trip });
    report::equal(name, expected, (end.slot, end.syndrome >> 26, end.pc, end.x[7]));
    end
}

fn at_el1(profile: &Profile) {
    let step = |name: &str, code: Code, x0: u64| {
        let mut trip = Trip::to(code.address(), EL1);
        trip.x[0] = x0;
        expect_step(format_args!("steps/EL1, {name}"), trip, FROM_EL1, 4)
    };
    step("NOP", Code::Nop, 0);
    step("HVC", Code::Hvc, SMCCC_VERSION.into());
    for (name, function) in [
        ("that is answered", SMCCC_VERSION),
        ("that is served", PSCI_VERSION),
        ("that asks for a feature", ARCH_FEATURES),
        ("of a workaround", ARCH_WORKAROUND_1),
        ("for the time", VENDOR_PTP),
        ("that is unknown", 0xc600_1234),
        ("of an owner that has none", 0x0000_0001),
    ] {
        let mut trip = Trip::to(Code::Smc.address(), EL1);
        trip.x[0] = function.into();
        expect_step(format_args!("steps/EL1, SMC {name}"), trip, FROM_EL1, 4);
    }
    let end = step("SMC, its result", Code::Smc, SMCCC_VERSION.into());
    report::equal(
        format_args!("steps/EL1, the result of a step"),
        [0x1_0001, 0, 0, 0],
        end.x[..4].try_into().unwrap_or_default(),
    );
    step("SMC #1", Code::SmcOne, SMCCC_VERSION.into());
    step("HVC #1", Code::HvcOne, SMCCC_VERSION.into());
    step("load from the UART", Code::Load, FLAGS);
    step("store to the UART", Code::Store, DIVISOR);
    step("load from the distributor", Code::Load, GICD);
    step("load from the distributor into x20", Code::LoadX20, GICD);
    step("store to the distributor", Code::Store, GICD + 0x100);
    step("load from a window without a device", Code::Load, 0x0a00_0000);
    step("cache maintenance of nothing", Code::Clean, HOLE);
    step("ID register", Code::IdRegister, 0);
    if !profile.gicv2 {
        step("SGI to nobody", Code::Sgi, 1 << 40 | 0xff << 16);
        step("ICC_SRE_EL1", Code::InterfaceEnable, 0);
    }
    step("WFI", Code::Wfi, 0);
}

fn at_el0() {
    let view = tables::show_devices_to_all(4);
    let step = |name: &str, code: Code, x0: u64| {
        let mut trip = Trip::to(code.address(), EL0);
        trip.x[0] = x0;
        expect_step(format_args!("steps/EL0, {name}"), trip, FROM_EL0, 4);
    };
    step("NOP", Code::Nop, 0);
    step("load from the UART", Code::Load, view + FLAGS);
    step("store to the UART", Code::Store, view + DIVISOR);
    step("load from the distributor", Code::Load, view + GICD);
    step("WFI", Code::Wfi, 0);
}

/// A branch leads to the last instruction of a page that anyone may branch into; in the next page it has to be a BTI, unless one
/// comes without a branch.
fn behind_branches() {
    for (name, code, x0) in [
        ("NOP", Code::Nop, 0),
        ("SMC", Code::Smc, u64::from(SMCCC_VERSION)),
        ("SMC of a workaround", Code::Smc, u64::from(ARCH_WORKAROUND_1)),
        ("SMC that is unknown", Code::Smc, 0xc600_1234),
        ("load from the UART", Code::Load, FLAGS),
        ("load from the distributor", Code::Load, GICD),
        ("ID register", Code::IdRegister, 0),
        ("WFI", Code::Wfi, 0),
    ] {
        for kind in 1..=3 {
            let mut trip = Trip::to(code::before_guarded_page(code), EL1 | kind << 10);
            trip.x[0] = x0;
            let end = make(trip);
            let name = format_args!("steps/BTYPE {kind}, {name}");
            report::equal(name, (FROM_EL1, EC_BREAK, 1), (end.slot, end.syndrome >> 26, end.x[7]));
        }
    }
    let guarded = Trip::to(code::before_guarded_page(Code::Nop) + 4, EL1 | 1 << 10).make();
    // Branch target exception: else the cases above tell nothing.
    report::equal(format_args!("steps/the page is guarded"), (FROM_EL1, 0x0d), (guarded.slot, guarded.syndrome >> 26));
}

/// AArch32, and instructions of two bytes.
fn in_t32() {
    let view = tables::show_devices_to_all(3);
    for (name, code, x0, length) in [
        ("NOP", Code::NopT32, 0, 2),
        ("WFI", Code::WfiT32, 0, 2),
        ("WFI of four bytes", Code::WideWfiT32, 0, 4),
        ("load", Code::LoadT32, view + FLAGS, 2),
        ("load of four bytes", Code::WideLoadT32, view + FLAGS, 4),
        ("store", Code::StoreT32, view + DIVISOR, 2),
    ] {
        let mut trip = Trip::to(code.address(), T32);
        trip.x[0] = x0;
        expect_step(format_args!("steps/T32, {name}"), trip, FROM_AARCH32, length);
        // Not stepped through: the two that follow set r7 and end it.
        let end = make(trip);
        let got = (end.slot, end.syndrome >> 26, end.x[7], end.pc);
        report::equal(format_args!("steps/T32, behind {name}"), (FROM_AARCH32, EC_SVC32, 1, trip.pc + length + 4), got);
    }
    // The first one of two executes if Z is set, and so does the second one (ITT EQ), or it does not (ITE EQ). There is no such
    // case of WFI: where that traps, QEMU reports the IT state of the next instruction.
    for (block, expected) in [(0b0000_0100u64, 1), (0b0000_1100, 0)] {
        let mut trip = Trip::to(Code::LoadT32.address(), T32 | ZERO | (block & 0xfc) << 8 | (block & 0b11) << 25);
        trip.x[0] = view + FLAGS;
        let end = make(trip);
        // In the block, MOVS sets no flag.
        let got = (end.slot, end.syndrome >> 26, end.x[7], end.pc, end.spsr & ZERO);
        let expected = (FROM_AARCH32, EC_SVC32, expected, trip.pc + 6, ZERO);
        report::equal(format_args!("steps/T32, load in IT block {block:#x}"), expected, got);
    }
}
