//! The VM suspends itself (PSCI SYSTEM_SUSPEND) again and again, each time for something else to wake it.
//!
//! Nothing of a vCPU's registers is left when it wakes: each stage ends in the call, and the next one begins where that goes on.
//! Two are for the control VM, which resumes, and pauses, a VM that sleeps. With a device of the board's it is that which wakes the
//! VM, and a key.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::gic::register::{ISENABLER, ISPENDR};
use guest_runtime::{console, counter, cpu, gic, mmio, power, tree};
use portcullis_abi::function::{PSCI_FEATURES, PSCI_SYSTEM_SUSPEND, PV_TIME_ST, SMC64};
use portcullis_abi::map::{
    GICC, RAM, RTC_INTID, TIMER_PHYSICAL_INTID as PHYSICAL, TIMER_VIRTUAL_INTID as TIMER, UART_INTID,
};
use portcullis_abi::result::*;
use portcullis_abi::watchdog::{ENABLE, SET_TIMEOUT};

use super::steal::{nanoseconds, stolen_of};
use super::typed;
use super::watchdog::call;
use crate::guest::cases::distributor::SPARE;
use crate::guest::cases::{rtc, watchdog};
use crate::guest::door::{Door, JUNK, code};
use crate::guest::report;

/// How long a timer lets it sleep, in microseconds.
const NAP: u64 = 100_000;
/// The timeout of its watchdog in seconds, and a sleep that is longer, in microseconds.
const TIMEOUT: u64 = 1;
const UNWATCHED: u64 = 1_500_000;
/// The least that an alarm in two seconds of a clock of whole seconds takes, less what the guest does before it sleeps.
const ALARM: u64 = 500_000;
/// How long the control VM does.
const MANAGED: u64 = 500_000;
/// Longest time that anything may take, in microseconds.
const PATIENCE: u64 = 5_000_000;
/// A slice of who shares its core: the manifest names none, so it is 5 ms. In nanoseconds.
const SLICE: u64 = 5_000_000;
/// Longest sleep: the control VM has others to see to.
const LONGEST: u64 = 60_000_000;
/// SCTLR_EL1: MMU, data cache, big-endian data.
const CONTROL_MASK: u64 = 1 << 0 | 1 << 2 | 1 << 25;
/// GICR_WAKER, and its ProcessorSleep.
const WAKER: u64 = 0x14;
const PROCESSOR_SLEEP: u32 = 1 << 1;
/// The priority of what a stage has pend, the mask that lets everything through, and one that does not let that through.
const PRIORITY: u8 = 0xa0;
const OPEN: u32 = 0xf8;
const CLOSED: u32 = PRIORITY as u32;

/// One sleep.
struct Stage {
    name: &'static str,
    /// The priority mask with which it sleeps.
    mask: u32,
    /// What is to wake it, and what is not.
    set: fn(),
    /// The least time that it sleeps, in microseconds.
    least: u64,
    /// What is to be so when it is awake; puts back what was set.
    check: fn(),
}

const STAGES: [Stage; 10] = [
    Stage { name: "pending", mask: OPEN, set: pend, least: 0, check: pending_still },
    Stage { name: "virtual timer", mask: OPEN, set: set_virtual, least: NAP, check: virtual_is_off },
    Stage { name: "physical timer", mask: OPEN, set: set_physical, least: NAP, check: physical_is_off },
    Stage { name: "mask", mask: CLOSED, set: pend_and_set, least: NAP, check: pending_still },
    Stage { name: "disabled", mask: OPEN, set: pend_disabled, least: NAP, check: pending_still },
    Stage { name: "clock", mask: OPEN, set: set_alarm, least: ALARM, check: alarm_rang },
    Stage { name: "watchdog", mask: OPEN, set: set_watchdog, least: UNWATCHED, check: has_not_bitten },
    Stage { name: "manager", mask: OPEN, set: ask, least: MANAGED, check: nothing },
    Stage { name: "pause", mask: OPEN, set: ask, least: MANAGED, check: nothing },
    Stage { name: "again", mask: OPEN, set: set_virtual, least: NAP, check: virtual_is_off },
];

/// What wakes it from outside: the board's clock, which is this VM's, so that its interrupt is one of the board's; and who types.
const OUTSIDE: [Stage; 2] = [
    Stage { name: "the board's clock", mask: OPEN, set: set_alarm, least: ALARM, check: alarm_rang },
    Stage { name: KEY, mask: OPEN, set: await_key, least: 0, check: key_came },
];

/// Whether the stages are those of [`OUTSIDE`].
static FROM_OUTSIDE: AtomicBool = AtomicBool::new(false);
static STAGE: AtomicUsize = AtomicUsize::new(0);
/// Slices that others may have of its core in one stage before it sleeps.
static TURNS: AtomicU64 = AtomicU64::new(0);
/// The virtual counter, and the stolen time, at the last call.
static BEGUN: AtomicU64 = AtomicU64::new(0);
static STOLEN: AtomicU64 = AtomicU64::new(0);

fn stage(number: usize) -> Option<&'static Stage> {
    if FROM_OUTSIDE.load(SeqCst) { OUTSIDE.get(number) } else { STAGES.get(number) }
}

/// All stages. It ends with the VM.
pub fn run(profile: &Profile) {
    if !profile.node.is_empty() {
        let found = (tree::address(profile.node), tree::interrupt(profile.node));
        let expected = (Some(rtc::DR), Some((RTC_INTID, false)));
        report::equal(format_args!("suspend/the board's clock is where its own would be"), expected, found);
        FROM_OUTSIDE.store(true, SeqCst);
    }
    TURNS.store(profile.turns, SeqCst);
    let door = Door::new(power::conduit());
    for function in [PSCI_SYSTEM_SUSPEND, PSCI_SYSTEM_SUSPEND | SMC64] {
        let name = format_args!("suspend/features {function:#x}");
        door.expect(name, PSCI_FEATURES.into(), [function.into(), 0, 0], code(0));
        let entry = cpu::entry_address();
        for bad in [0, RAM - 4, entry + 1, entry + 2, RAM + (1 << 30)] {
            let name = format_args!("suspend/{function:#x} to {bad:#x}");
            door.expect(name, function.into(), [bad, 0, 0], code(PSCI_INVALID_ADDRESS));
        }
    }
    if profile.cpus > 1 {
        denied(&door);
    }
    let structure = door.call(PV_TIME_ST.into(), [0; 3]);
    report::holds(format_args!("suspend/stolen time"), (structure.x[0] as i64) > 0, "its address", &structure);
    sleep();
}

/// With another vCPU on it stays awake.
fn denied(door: &Door) {
    static GO: AtomicUsize = AtomicUsize::new(0);
    let started = cpu::launch(1, || _ = counter::wait_until(PATIENCE, || GO.load(SeqCst) != 0), 0);
    report::equal(format_args!("suspend/other vCPU started"), Ok(()), started);
    for function in [PSCI_SYSTEM_SUSPEND, PSCI_SYSTEM_SUSPEND | SMC64] {
        let name = format_args!("suspend/{function:#x} with another vCPU on");
        door.expect(name, function.into(), [cpu::entry_address(), 0, 0], code(PSCI_DENIED));
    }
    GO.store(1, SeqCst);
    report::equal(format_args!("suspend/other vCPU off"), true, cpu::join(1, PATIENCE));
}

/// The context of a stage.
fn context(stage: usize) -> u64 {
    0x5eed_0000 + stage as u64
}

/// Begins the next stage, or ends the run.
fn sleep() {
    let number = STAGE.load(SeqCst);
    let Some(stage) = stage(number) else {
        report::finish();
        power::off()
    };
    // Before the timers are set: on a shared core much may come between.
    BEGUN.store(counter::virtual_count(), SeqCst);
    (stage.set)();
    close_interface(stage.mask);
    cpu::prepare(0, wake);
    STOLEN.store(stolen_of(0), SeqCst);
    let (function, junk) =
        if number.is_multiple_of(2) { (PSCI_SYSTEM_SUSPEND | SMC64, 0) } else { (PSCI_SYSTEM_SUSPEND, JUNK) };
    let arguments = [junk | cpu::entry_address(), junk | context(number), 0];
    let answer = Door::new(power::conduit()).call(function.into(), arguments);
    report::fail(format_args!("suspend/{} {function:#x}", stage.name), &"no return", &answer);
    report::finish();
    power::off()
}

/// The VM is awake.
fn wake() {
    let slept = counter::microseconds(counter::virtual_count() - BEGUN.load(SeqCst));
    let stolen = stolen_of(0) - STOLEN.load(SeqCst);
    let number = STAGE.fetch_add(1, SeqCst);
    let Some(stage) = stage(number) else { return };
    let name = stage.name;
    let arrival =
        cpu::arrival(0).map(|arrival| (arrival.context, arrival.level, arrival.masks, arrival.control & CONTROL_MASK));
    // Whoever types the key is attached, and is not gone at once: what comes before that has no name in front.
    if name == KEY {
        counter::delay(2_000_000);
    }
    // EL1, all of DAIF masked, MMU and data cache off, little-endian.
    report::equal(format_args!("suspend/{name} goes on"), Some((context(number), 0b0100, 0x3c0, 0)), arrival);
    report::equal(format_args!("suspend/{name} registers are new"), cpu::Residue::default(), cpu::residue());
    report::equal(format_args!("suspend/{name} CPU interface is new"), (0, 0), interface());
    let right = (stage.least..LONGEST).contains(&slept);
    report::holds(
        format_args!("suspend/{name} sleeps, and its counter runs"),
        right,
        "the time that it had to",
        &slept,
    );
    // It had to sleep for so long, and none of that is stolen: what comes behind it may be, and turns of neighbours' before it.
    let most = nanoseconds(counter::ticks(slept - stage.least.min(slept))) + TURNS.load(SeqCst) * SLICE;
    report::holds(
        format_args!("suspend/{name} is not stolen"),
        stolen <= most,
        "no more than it was late",
        &(stolen, most),
    );
    if gic::version() == 3 {
        let asleep = mmio::read32(gic::redistributor(0) + WAKER) & PROCESSOR_SLEEP;
        report::equal(format_args!("suspend/{name} GICR_WAKER is kept"), PROCESSOR_SLEEP, asleep);
        mmio::write32(gic::redistributor(0) + WAKER, 0);
    }
    (stage.check)();
    gic::init_cpu();
    sleep()
}

/// Closes the CPU interface, as Linux does before the call; its priority mask counts.
fn close_interface(mask: u32) {
    if gic::version() == 2 {
        mmio::write32(GICC + 4, mask);
        mmio::write32(GICC, 0);
    } else {
        // SAFETY: no interrupt is unmasked, so the interface matters to nobody.
        unsafe { asm!("msr icc_pmr_el1, {:x}", "msr icc_igrpen1_el1, xzr", "isb", in(reg) mask, options(nostack)) };
        mmio::write32(gic::redistributor(0) + WAKER, PROCESSOR_SLEEP);
    }
}

/// Priority mask and enables of the CPU interface.
fn interface() -> (u64, u64) {
    if gic::version() == 2 {
        return (mmio::read32(GICC + 4).into(), mmio::read32(GICC).into());
    }
    let (mask, enable);
    // SAFETY: reads two registers.
    unsafe {
        asm!("mrs {}, icc_pmr_el1", "mrs {}, icc_igrpen1_el1", out(reg) mask, out(reg) enable, options(nomem, nostack))
    };
    (mask, enable)
}

fn pend() {
    gic::route(SPARE, 0);
    gic::set_priority(SPARE, PRIORITY);
    gic::enable(SPARE);
    gic::set_pending(SPARE);
}

/// Has the virtual timer wake it, and something that is as urgent as the mask not.
fn pend_and_set() {
    pend();
    set_virtual();
    gic::set_priority(TIMER, PRIORITY - 0x20);
}

/// Has the virtual timer wake it, and something that is not enabled not.
fn pend_disabled() {
    pend();
    gic::disable(SPARE);
    set_virtual();
}

/// What was pending is there still.
fn pending_still() {
    report::equal(format_args!("suspend/it is pending still"), true, gic::is_set(ISPENDR, SPARE));
    gic::clear_pending(SPARE);
    gic::disable(SPARE);
    gic::disable(TIMER);
}

fn set_virtual() {
    gic::set_priority(TIMER, PRIORITY);
    gic::enable(TIMER);
    counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
}

fn virtual_is_off() {
    let got =
        (counter::control() & counter::CONTROL_ENABLE, gic::is_set(ISENABLER, TIMER), gic::is_set(ISPENDR, TIMER));
    report::equal(format_args!("suspend/virtual timer is off, its interrupt is not"), (0, true, false), got);
    gic::disable(TIMER);
}

fn set_physical() {
    gic::set_priority(PHYSICAL, PRIORITY);
    gic::enable(PHYSICAL);
    counter::arm_physical(counter::ticks(NAP), counter::CONTROL_ENABLE);
}

fn physical_is_off() {
    let got = (gic::is_set(ISENABLER, PHYSICAL), gic::is_set(ISPENDR, PHYSICAL));
    report::equal(format_args!("suspend/physical timer is off, its interrupt is not"), (true, false), got);
    gic::disable(PHYSICAL);
}

fn set_alarm() {
    gic::route(RTC_INTID, 0);
    gic::set_priority(RTC_INTID, PRIORITY);
    gic::enable(RTC_INTID);
    mmio::write32(rtc::IMSC, 1);
    report::equal(format_args!("suspend/its clock is silent"), 0, mmio::read32(rtc::RIS));
    mmio::write32(rtc::MR, mmio::read32(rtc::DR) + 2);
}

fn alarm_rang() {
    report::equal(format_args!("suspend/its clock has rung"), 1, mmio::read32(rtc::RIS));
    mmio::write32(rtc::IMSC, 0);
    gic::disable(RTC_INTID);
}

/// Has the virtual timer wake it when its watchdog would have bitten long ago, had that not stood still.
fn set_watchdog() {
    let door = Door::new(power::conduit());
    gic::set_priority(TIMER, PRIORITY);
    gic::enable(TIMER);
    counter::arm(counter::ticks(UNWATCHED), counter::CONTROL_ENABLE);
    call(&door, SET_TIMEOUT, TIMEOUT);
    call(&door, ENABLE, 1);
}

fn has_not_bitten() {
    let door = Door::new(power::conduit());
    let left = watchdog::left(&door);
    report::holds(format_args!("suspend/its watchdog is on"), left.is_some(), "an answer to GET_TIMELEFT", &left);
    call(&door, ENABLE, 0);
    virtual_is_off();
}

/// Name of the stage that a key ends.
const KEY: &str = "key";

/// A key is to wake it.
fn await_key() {
    console::line(format_args!("suspend: sleeps until a key is typed"));
    gic::set_edge(UART_INTID, false);
    gic::route(UART_INTID, 0);
    gic::set_priority(UART_INTID, PRIORITY);
    gic::enable(UART_INTID);
    typed::listen();
}

/// It is there to be read, by the interrupt that is pending still.
fn key_came() {
    let got = (gic::is_set(ISPENDR, UART_INTID), typed::taken());
    report::equal(format_args!("suspend/the key came"), (true, Some(b'k')), got);
    gic::disable(UART_INTID);
}

/// The control VM is to wake it.
fn ask() {
    console::line(format_args!("suspend: sleeps for its manager"));
    console::drain();
}

fn nothing() {}
