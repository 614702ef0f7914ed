//! What a board would report to a guest as an abort, this guest gets, of the kind and with the address that Arm says, and it
//! goes on.

use core::arch::asm;
use core::fmt::Arguments;

use conformance::profile::Profile;
use guest_runtime::exception::{Fault, probe};
use guest_runtime::{console, mmio};
use portcullis_abi::map::{GICC, GICD, GICR, GICR_STRIDE, MAX_VCPUS, PV_TIME, UART};

use crate::guest::excursion::{EL0, FROM_AARCH32, FROM_EL0, T32, Trip};
use crate::guest::{report, tables};

/// Neither RAM nor device in the guest's map.
pub const HOLE: u64 = 0x2000_0000;
/// Executable for stage 1, and beyond any RAM.
const BEYOND: u64 = 0xc000_0000;
/// UARTFR: a read changes nothing.
const FLAGS: u64 = UART + 0x18;
/// ESR_EL1 of a load that ends in a synchronous external abort: no level changed, 32-bit instruction, DFSC 0x10.
const LOAD: u64 = 0x25 << 26 | 1 << 25 | 0x10;
/// The same of a store: WnR.
const STORE: u64 = LOAD | 1 << 6;
/// The same of a fetch.
const FETCH: u64 = 0x21 << 26 | 1 << 25 | 0x10;
/// The bit of ESR_EL1.EC that says that the level did not change.
const SAME_LEVEL: u64 = 1 << 26;
/// ESR_EL1.DFSC of an exclusive or atomic access that the memory does not support.
const UNSUPPORTED: u64 = 0x35;

/// Every kind.
pub fn run(profile: &Profile) {
    console::line(format_args!("mode aborts"));
    nothing(profile);
    fetches();
    not_emulated(profile);
    pv_time();
    maintenance();
    walks("walk", HOLE);
    if profile.gicv2 {
        // Memory that the board has, but a device's.
        walks("walk of a device", GICC);
    }
    user();
    repeated();
}

/// One access by one instruction, which stands in the text.
macro_rules! attempt {
    ($address:expr, $($instruction:literal),+) => {
        probe(|| {
            // SAFETY: the access reaches nothing, or a register whose access changes nothing; the registers are given.
            unsafe {
                asm!($($instruction),+, inout("x9") $address => _, out("x10") _, out("x11") _, options(nostack))
            }
        })
    };
}

/// The fault is this one, at this address.
fn expect(name: Arguments, expected: u64, address: u64, result: Result<(), Fault>) {
    let got = result.err().map(|fault| (fault.syndrome, fault.address));
    report::equal(name, Some((expected, address)), got);
}

/// The access does not fault.
fn harmless(name: Arguments, result: Result<(), Fault>) {
    report::holds(name, result.is_ok(), "no exception", &result);
}

fn nothing(profile: &Profile) {
    let past_vcpus = GICR + GICR_STRIDE * MAX_VCPUS as u64 + 0x8;
    let missing = if profile.gicv2 { GICR } else { GICR + GICR_STRIDE * profile.cpus as u64 } + 0x8;
    for (what, address) in [
        ("hole", HOLE),
        ("past RAM", BEYOND),
        ("missing redistributor", missing),
        ("behind the redistributors", past_vcpus),
        ("behind the UART", UART + 0x1000),
    ] {
        expect(format_args!("aborts/load from {what}"), LOAD, address, attempt!(address, "ldr w10, [x9]"));
        expect(format_args!("aborts/store to {what}"), STORE, address, attempt!(address, "str wzr, [x9]"));
    }
    expect(format_args!("aborts/byte"), LOAD, HOLE + 3, attempt!(HOLE + 3, "ldrb w10, [x9]"));
    expect(format_args!("aborts/pair"), LOAD, HOLE, attempt!(HOLE, "ldp x10, x11, [x9]"));
    expect(format_args!("aborts/pair stored"), STORE, BEYOND, attempt!(BEYOND, "stp xzr, xzr, [x9]"));
    let result = attempt!(HOLE, "ldr x10, [x9], #8");
    expect(format_args!("aborts/with write-back"), LOAD, HOLE, result);
}

fn fetches() {
    for (what, address) in [("beyond RAM", BEYOND), ("beyond RAM, in a page", BEYOND + 0x1234)] {
        let result = probe(|| {
            // SAFETY: the callee does not exist; the probe returns to after the branch.
            unsafe { asm!("blr {}", in(reg) address, clobber_abi("C")) }
        });
        expect(format_args!("aborts/fetch {what}"), FETCH, address, result);
    }
}

/// Instructions whose syndrome does not describe them, at an emulated device.
fn not_emulated(profile: &Profile) {
    // SAFETY: lets EL1 use the vector registers, which nothing else here does.
    unsafe { asm!("msr cpacr_el1, {}", "isb", in(reg) 0b11u64 << 20, options(nostack)) };
    let distributor = GICD;
    for (what, address) in [("UART", FLAGS), ("distributor", distributor)] {
        let name = |kind| (what, kind);
        let case = |(what, kind): (&str, &str), expected, result| {
            expect(format_args!("aborts/{what}, {kind}"), expected, address, result);
        };
        case(name("post-index"), LOAD, attempt!(address, "ldr w10, [x9], #4"));
        case(name("pre-index"), LOAD, attempt!(address - 4, "ldr w10, [x9, #4]!"));
        case(name("post-index store"), STORE, attempt!(address, "str wzr, [x9], #4"));
        case(name("pair"), LOAD, attempt!(address, "ldp w10, w11, [x9]"));
        case(name("pair store"), STORE, attempt!(address, "stp wzr, wzr, [x9]"));
        // ldr s0, [x9]; str s0, [x9]
        case(name("SIMD"), LOAD, attempt!(address, ".inst 0xbd400120"));
        case(name("SIMD store"), STORE, attempt!(address, ".inst 0xbd000120"));
        unsupported(format_args!("aborts/{what}, exclusive"), address, attempt!(address, "ldxr w10, [x9]", "clrex"));
        if has_atomics() {
            // ldadd wzr, w10, [x9]
            unsupported(format_args!("aborts/{what}, atomic"), address, attempt!(address, ".inst 0xb83f012a"));
        }
    }
    let read = mmio::read32(FLAGS);
    report::holds(format_args!("aborts/the UART still works"), read & 1 << 4 != 0, "RXFE", &read);
    if !profile.gicv2 {
        let result = attempt!(GICR + 0x8, "ldp w10, w11, [x9]");
        expect(format_args!("aborts/redistributor, pair"), LOAD, GICR + 8, result);
    }
}

/// Device memory need not know exclusive and atomic accesses, and a fault that says so may come first (Arm ARM, B2.9.2).
fn unsupported(name: Arguments, address: u64, result: Result<(), Fault>) {
    const WNR: u64 = 1 << 6;
    let fits = result.is_err_and(|fault| {
        let syndrome = fault.syndrome & !WNR;
        fault.address == address && [LOAD, LOAD & !0x3f | UNSUPPORTED].contains(&syndrome)
    });
    report::holds(name, fits, "an abort at its address", &result);
}

/// ID_AA64ISAR0_EL1.Atomic.
fn has_atomics() -> bool {
    let features: u64;
    // SAFETY: reads what the CPU has.
    unsafe { asm!("mrs {}, id_aa64isar0_el1", out(reg) features, options(nomem, nostack)) };
    features >> 20 & 0xf != 0
}

/// The page of the PV time structures can only be read.
fn pv_time() {
    let before = mmio::read64(PV_TIME);
    let result = attempt!(PV_TIME, "str wzr, [x9]");
    expect(format_args!("aborts/write to PV time"), STORE, PV_TIME, result);
    let result = attempt!(PV_TIME + 0x100, "stp x9, x9, [x9, #16]");
    expect(format_args!("aborts/pair written to PV time"), STORE, PV_TIME + 0x110, result);
    for (what, result) in [
        ("dc cvac", attempt!(PV_TIME, "dc cvac, x9")),
        ("dc civac", attempt!(PV_TIME, "dc civac, x9")),
        ("dc ivac", attempt!(PV_TIME, "dc ivac, x9")),
        ("ic ivau", attempt!(PV_TIME, "ic ivau, x9")),
    ] {
        harmless(format_args!("aborts/PV time, {what}"), result);
    }
    report::equal(format_args!("aborts/PV time is as it was"), before, mmio::read64(PV_TIME));
}

/// No cache holds anything of what is not there.
fn maintenance() {
    for (what, address) in [("hole", HOLE), ("UART", UART), ("beyond RAM", BEYOND)] {
        for (kind, result) in [
            ("dc civac", attempt!(address, "dc civac, x9")),
            ("dc ivac", attempt!(address, "dc ivac, x9")),
            ("dc cvau", attempt!(address, "dc cvau, x9")),
            ("ic ivau", attempt!(address, "ic ivau, x9")),
        ] {
            harmless(format_args!("aborts/{what}, {kind}"), result);
        }
    }
}

/// Tables of stage 1 that lie nowhere, at each level.
fn walks(what: &str, nowhere: u64) {
    for level in 0..4 {
        let address = tables::lead_nowhere(level, nowhere);
        let status = 0x14 - 0x10 + level as u64;
        let result = attempt!(address, "ldr w10, [x9]");
        expect(format_args!("aborts/{what}, level {level}, load"), LOAD + status, address, result);
        let result = attempt!(address, "str wzr, [x9]");
        expect(format_args!("aborts/{what}, level {level}, store"), STORE + status, address, result);
        let result = probe(|| {
            // SAFETY: the callee does not exist; the probe returns to after the branch.
            unsafe { asm!("blr {}", in(reg) address, clobber_abi("C")) }
        });
        expect(format_args!("aborts/{what}, level {level}, fetch"), FETCH + status, address, result);
    }
}

/// Code of EL0, 64 and 32 bits wide.
fn user() {
    let view = tables::show_devices_to_all(4);
    let end = |trip: Trip| (trip.slot, trip.syndrome, trip.address, trip.pc);
    let (load, fetch) = (LOAD & !SAME_LEVEL, FETCH & !SAME_LEVEL);
    let code = code::addresses();
    for (what, address) in [("hole", HOLE), ("PV time", PV_TIME)] {
        let mut trip = Trip::to(code.store, EL0);
        trip.x[0] = view + address;
        let store = STORE & !SAME_LEVEL;
        report::equal(
            format_args!("aborts/EL0, store to {what}"),
            (FROM_EL0, store, view + address, code.store),
            end(trip.make()),
        );
    }
    let mut trip = Trip::to(code.load, EL0);
    trip.x[0] = view + HOLE;
    report::equal(format_args!("aborts/EL0, load"), (FROM_EL0, load, view + HOLE, code.load), end(trip.make()));
    let mut trip = Trip::to(code.pair, EL0);
    trip.x[0] = view + FLAGS;
    let got = end(trip.make());
    report::equal(format_args!("aborts/EL0, pair from the UART"), (FROM_EL0, load, view + FLAGS, code.pair), got);
    let got = end(Trip::to(BEYOND, EL0).make());
    report::equal(format_args!("aborts/EL0, fetch"), (FROM_EL0, fetch, BEYOND, BEYOND), got);
    if code::has_aarch32() {
        let view = tables::show_devices_to_all(3);
        let mut trip = Trip::to(code.load_t32, T32);
        trip.x[0] = view + HOLE;
        let expected = (FROM_AARCH32, load, view + HOLE, code.load_t32);
        report::equal(format_args!("aborts/AArch32, load"), expected, end(trip.make()));
    }
}

/// It can happen any number of times.
fn repeated() {
    let caught = (0..1000).filter(|_| attempt!(HOLE, "ldr w10, [x9]").is_err()).count();
    report::equal(format_args!("aborts/a thousand"), 1000, caught);
}

pub mod code {
    //! Instructions for EL0.

    use core::arch::{asm, global_asm};

    global_asm!(
        ".section .text.user, \"ax\"",
        ".balign 4",
        "user_load: ldr w1, [x0]",
        "user_store: str w1, [x0]",
        "user_pair: ldp w1, w2, [x0]",
        "svc #0",
        "user_load_t32: .hword 0x6801", // ldr r1, [r0]
        ".hword 0xdf00",                // svc #0
    );

    /// Where they are.
    pub struct Addresses {
        pub load: u64,
        pub store: u64,
        pub pair: u64,
        pub load_t32: u64,
    }

    /// Where they are.
    pub fn addresses() -> Addresses {
        unsafe extern "C" {
            safe fn user_load();
            safe fn user_store();
            safe fn user_pair();
            safe fn user_load_t32();
        }
        let [load, store, pair, load_t32] =
            [user_load as *const (), user_store as *const (), user_pair as *const (), user_load_t32 as *const ()];
        Addresses { load: load as u64, store: store as u64, pair: pair as u64, load_t32: load_t32 as u64 }
    }

    /// ID_AA64PFR0_EL1.EL0: AArch32 as well.
    pub fn has_aarch32() -> bool {
        let features: u64;
        // SAFETY: reads what the CPU has.
        unsafe { asm!("mrs {}, id_aa64pfr0_el1", out(reg) features, options(nomem, nostack)) };
        features & 0xf == 2
    }
}

/// Lets an exception come whose vector cannot be fetched: the VM must stop, as nothing would ever change.
pub fn without_vectors() {
    let vectors = BEYOND;
    console::line(format_args!("mode no-vectors: undefined instruction with VBAR_EL1 {vectors:#x}"));
    // SAFETY: ends this VM.
    unsafe { asm!("msr vbar_el1, {}", "isb", "udf #0", in(reg) vectors, options(noreturn)) }
}
