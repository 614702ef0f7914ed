//! PSCI calls that start, stop and suspend vCPUs.

use core::sync::atomic::{AtomicBool, AtomicI64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::power::Conduit;
use guest_runtime::{counter, cpu, gic, power};
use portcullis_abi::function::*;
use portcullis_abi::map::{RAM, TIMER_VIRTUAL_INTID, UART};
use portcullis_abi::result::*;

use crate::guest::cases::{identification, pv_time};
use crate::guest::door::{Door, JUNK, code};
use crate::guest::{moves, report};

/// The vCPU that the boot vCPU starts and stops.
const OTHER: usize = 1;
/// Longest time that anything may take, in microseconds.
const PATIENCE: u64 = 5_000_000;
/// Stops and starts in a row.
const ROUNDS: u64 = 10;
/// Time until the timer ends a suspend, in microseconds.
const NAP: u64 = 5_000;
/// SCTLR_EL1: MMU, data cache, big-endian data; PSCI starts a vCPU with all three off (DEN0022 section 6.4.3).
const CONTROL_MASK: u64 = 1 << 0 | 1 << 2 | 1 << 25;

static RELEASE: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicI64 = AtomicI64::new(0);

/// The cases of one conduit. Vcpu 1 is off before and after.
pub fn run(door: &Door, profile: &Profile) {
    if profile.gic {
        for function in [PSCI_CPU_SUSPEND, PSCI_CPU_SUSPEND | SMC64] {
            suspend(door, function);
        }
    }
    if profile.cpus > OTHER {
        state(door, "before", PSCI_AFFINITY_OFF);
        if profile.psci >= PSCI_VERSION_1_0 {
            addresses(door);
        }
        start(door, PSCI_CPU_ON | SMC64, 0x1122_3344_5566_7788, 0x1122_3344_5566_7788);
        start(door, PSCI_CPU_ON, JUNK | 0x5566_7788, 0x5566_7788);
        rounds(door);
        elsewhere(door, profile);
    }
}

fn affinity_info(door: &Door) -> i64 {
    door.call((PSCI_AFFINITY_INFO | SMC64).into(), [OTHER as u64, 0, 0]).x[0] as i64
}

fn state(door: &Door, when: &str, expected: i64) {
    report::equal(format_args!("{}/lifecycle/state {when}", door.name()), expected, affinity_info(door));
}

/// CPU_SUSPEND to standby: the timer's interrupt ends it, although PSTATE masks it.
fn suspend(door: &Door, function: u32) {
    gic::enable(TIMER_VIRTUAL_INTID);
    let start = counter::virtual_count();
    counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
    door.expect(format_args!("lifecycle/suspend {function:#x}"), function.into(), [0; 3], code(PSCI_SUCCESS));
    let slept = counter::microseconds(counter::virtual_count() - start);
    let fired = || counter::control() & counter::CONTROL_STATUS != 0;
    // A restore ends a standby as well.
    while moves::are_awaited() && !fired() {
        let _ = door.call(function.into(), [0; 3]);
    }
    let fired = fired();
    let name = format_args!("{}/lifecycle/suspend {function:#x} until the timer", door.name());
    report::holds(name, fired && slept < PATIENCE, "the timer to have fired", &slept);
    counter::set_control(0);
    gic::disable(TIMER_VIRTUAL_INTID);
}

/// Entries where there is no RAM.
fn addresses(door: &Door) {
    cpu::prepare(OTHER, || {});
    let function = PSCI_CPU_ON | SMC64;
    for entry in [0, UART, RAM - 0x1000, 0xff_ffff_f000, 1 << 52, u64::MAX - 0xfff] {
        let arguments = [OTHER as u64, entry, 0];
        let name = format_args!("lifecycle/entry {entry:#x}");
        door.expect(name, function.into(), arguments, code(PSCI_INVALID_ADDRESS));
    }
    state(door, "after bad entries", PSCI_AFFINITY_OFF);
}

fn hold() {
    counter::wait_until(PATIENCE, || RELEASE.load(SeqCst));
}

fn start(door: &Door, function: u32, context: u64, expected: u64) {
    RELEASE.store(false, SeqCst);
    cpu::prepare(OTHER, hold);
    let arguments = [OTHER as u64, cpu::entry_address(), context];
    door.expect(format_args!("lifecycle/on {function:#x}"), function.into(), arguments, code(PSCI_SUCCESS));
    let name = format_args!("lifecycle/on twice {function:#x}");
    door.expect(name, function.into(), arguments, code(PSCI_ALREADY_ON));
    let name = format_args!("{}/lifecycle/state at once {function:#x}", door.name());
    report::equal(name, PSCI_AFFINITY_ON, affinity_info(door));

    counter::wait_until(PATIENCE, || cpu::arrival(OTHER).is_some());
    let arrival = cpu::arrival(OTHER);
    let name = format_args!("{}/lifecycle/context {function:#x}", door.name());
    report::equal(name, Some(expected), arrival.map(|arrival| arrival.context));
    // EL1, all of DAIF masked, MMU and data cache off, little-endian.
    let entry = arrival.map(|arrival| (arrival.level, arrival.masks, arrival.control & CONTROL_MASK));
    report::equal(format_args!("{}/lifecycle/entry state {function:#x}", door.name()), Some((0b0100, 0x3c0, 0)), entry);
    let name = format_args!("lifecycle/on again {function:#x}");
    door.expect(name, function.into(), arguments, code(PSCI_ALREADY_ON));
    state(door, "while on", PSCI_AFFINITY_ON);
    RELEASE.store(true, SeqCst);
    let joined = cpu::join(OTHER, PATIENCE);
    report::equal(format_args!("{}/lifecycle/off {function:#x}", door.name()), true, joined);
}

/// Stop and start in a row: each start has its own context.
fn rounds(door: &Door) {
    for round in 0..ROUNDS {
        cpu::prepare(OTHER, || {});
        let context = 0xc0de_0000 + round;
        let answer = door.call((PSCI_CPU_ON | SMC64).into(), [OTHER as u64, cpu::entry_address(), context]);
        let joined = cpu::join(OTHER, PATIENCE);
        let got = (answer.x, joined, cpu::arrival(OTHER).map(|arrival| arrival.context));
        let name = format_args!("{}/lifecycle/round {round}", door.name());
        report::equal(name, (code(PSCI_SUCCESS), true, Some(context)), got);
    }
}

fn see_boot_cpu() {
    let answer = Door::new(power::conduit()).call((PSCI_CPU_ON | SMC64).into(), [0, cpu::entry_address(), 0]);
    SEEN.store(answer.x[0] as i64, SeqCst);
    identification::affinity();
}

/// What the other vCPU sees.
fn elsewhere(door: &Door, profile: &Profile) {
    work(door, see_boot_cpu);
    let name = format_args!("{}/lifecycle/boot vCPU from the other", door.name());
    report::equal(name, PSCI_ALREADY_ON, SEEN.load(SeqCst));
    if profile.has_pv_time() {
        work(
            door,
            match door.conduit() {
                Conduit::Hvc => || pv_time::structure(&Door::new(Conduit::Hvc)),
                Conduit::Smc => || pv_time::structure(&Door::new(Conduit::Smc)),
            },
        );
    }
}

fn work(door: &Door, job: fn()) {
    let result = cpu::launch(OTHER, job, 0);
    let joined = result.is_ok() && cpu::join(OTHER, PATIENCE);
    report::holds(format_args!("{}/lifecycle/work", door.name()), joined, "work on the other vCPU done", &result);
}
