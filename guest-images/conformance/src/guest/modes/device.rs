//! A device of the board, driven by this VM alone: its registers, its level-triggered interrupt, and resets of the VM in the
//! middle of that interrupt.
//!
//! Every boot runs all cases; which boot it is stands in memory that a reset leaves alone, as in
//! [`crate::guest::modes::reset`].

pub mod uart;

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::gic::{self, register::*};
use guest_runtime::{console, counter, cpu, power, tree};
use portcullis_abi::function::PSCI_SYSTEM_RESET;
use spin::Once;

use self::uart::Uart;
use crate::guest::door::Door;
use crate::guest::interrupts::{self, PATIENCE};
use crate::guest::listener::with_listener;
use crate::guest::modes::reset;
use crate::guest::report;

/// Boots of the run.
const BOOTS: u64 = 3;
/// How often the interrupt comes while nobody quiets the device.
const ROUNDS: u32 = 50;

/// The device, and what is to be done about its interrupt.
struct Driver {
    uart: Uart,
    intid: u32,
    /// So many interrupts are ended without the device being quieted.
    ignored: AtomicU32,
    /// The next one is not ended: the VM is reset instead.
    resets: AtomicBool,
    /// How often it came in this boot.
    taken: AtomicU64,
}

static DRIVER: Once<Driver> = Once::new();

/// Takes an interrupt that is nobody else's.
fn interrupted(intid: u32) {
    let Some(driver) = DRIVER.get().filter(|driver| driver.intid == intid) else { return };
    driver.taken.fetch_add(1, SeqCst);
    if driver.resets.load(SeqCst) {
        let answer = Door::new(power::conduit()).call(PSCI_SYSTEM_RESET.into(), [0; 3]);
        return report::fail(format_args!("device/reset"), &"no return", &answer);
    }
    if driver.ignored.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_err() {
        driver.uart.set_interrupt(false);
    }
}

/// One boot of the run.
pub fn run(profile: &Profile) {
    let boot = reset::boots();
    console::line(format_args!("boot: {boot}"));
    let Some((uart, intid, edge)) = find(profile.node) else { return };
    report::equal(format_args!("device/level-triggered"), false, edge);
    let driver = DRIVER.call_once(|| Driver {
        uart,
        intid,
        ignored: AtomicU32::new(0),
        resets: AtomicBool::new(false),
        taken: AtomicU64::new(0),
    });
    interrupts::set_source(interrupted);
    gic::route(intid, 0);
    wanted(driver);
    unwanted(driver);
    again_and_again(driver);
    if profile.cpus > 1 {
        elsewhere(driver);
    }
    if boot + 1 < BOOTS {
        reset::note(boot + 1);
        report::pass(format_args!("device/boot {boot}"));
        end_in_the_middle(driver);
    } else {
        reset::note(0);
    }
}

/// The UART at this node, which is started, with its interrupt, and whether that is edge-triggered; what is wrong is reported.
pub fn find(node: &'static str) -> Option<(Uart, u32, bool)> {
    let found = tree::address(node).zip(tree::interrupt(node)).zip(tree::string(node, "compatible"));
    let Some(((address, (intid, edge)), compatible)) = found else {
        report::fail(format_args!("device/node"), &"registers, an interrupt and compatible", &node);
        return None;
    };
    let Some(uart) = Uart::new(compatible, address) else {
        report::fail(format_args!("device/kind"), &"a UART that is known here", &compatible);
        return None;
    };
    console::line(format_args!("device: {compatible} at {address:#x}, interrupt {intid}"));
    report::equal(format_args!("device/registers"), true, uart.is_there());
    uart.start();
    Some((uart, intid, edge))
}

/// How often the interrupt comes to a vCPU within a while, which is over when it has come `least` times.
fn comes(driver: &Driver, vcpu: usize, least: u32) -> u32 {
    cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(vcpu, driver.intid) >= least));
    cpu::with_interrupts(|| counter::delay(2_000));
    interrupts::count(vcpu, driver.intid)
}

/// One that the guest waits for.
fn wanted(driver: &Driver) {
    interrupts::clear();
    gic::enable(driver.intid);
    report::equal(format_args!("device/quiet at first"), 0, comes(driver, 0, 0));
    for round in 0..3 {
        interrupts::clear();
        driver.uart.set_interrupt(true);
        report::equal(format_args!("device/interrupt {round}"), 1, comes(driver, 0, 1));
    }
    report::equal(format_args!("device/ended"), false, gic::is_set(ISACTIVER, driver.intid));
}

/// One that comes while the guest does not want it, and that is over or not when it does.
fn unwanted(driver: &Driver) {
    for over in [false, true] {
        gic::disable(driver.intid);
        interrupts::clear();
        driver.uart.set_interrupt(true);
        let early = comes(driver, 0, 0);
        if over {
            driver.uart.set_interrupt(false);
        }
        gic::enable(driver.intid);
        let late = comes(driver, 0, u32::from(!over));
        let name = if over { "over before it is wanted" } else { "wanted later" };
        report::equal(format_args!("device/{name}"), (0, u32::from(!over)), (early, late));
    }
}

/// A line that stays high.
fn again_and_again(driver: &Driver) {
    interrupts::clear();
    driver.ignored.store(ROUNDS, SeqCst);
    driver.uart.set_interrupt(true);
    report::equal(format_args!("device/again and again"), ROUNDS + 1, comes(driver, 0, ROUNDS + 1));
}

/// Routed to vCPU 1.
fn elsewhere(driver: &Driver) {
    interrupts::clear();
    let worked = with_listener(|| {
        gic::route(driver.intid, 1);
        for round in 1..=3 {
            driver.uart.set_interrupt(true);
            counter::wait_until(PATIENCE, || interrupts::count(1, driver.intid) == round);
        }
        let got = (interrupts::count(0, driver.intid), interrupts::count(1, driver.intid));
        report::equal(format_args!("device/routed to the other"), (0, 3), got);
    });
    report::equal(format_args!("device/listener"), true, worked);
    gic::route(driver.intid, 0);
}

/// The VM ends while the interrupt is active and the line high. It does not return.
fn end_in_the_middle(driver: &Driver) {
    console::drain();
    driver.resets.store(true, SeqCst);
    driver.uart.set_interrupt(true);
    cpu::with_interrupts(|| counter::delay(PATIENCE));
    report::fail(format_args!("device/reset"), &"an interrupt that ends this boot", &driver.taken);
}
