//! All vCPUs of a VM together, however many: each is switched on, says who it is, and gets an SGI and an SPI of its own.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic};
use portcullis_abi::map::MAX_VCPUS;

use crate::guest::cases::distributor::{self, SPARE};
use crate::guest::interrupts;
use crate::guest::listener::{ANSWER, QUESTION};
use crate::guest::report;

/// An SGI that nobody answers.
const BROADCAST: u32 = 9;
/// Longest time that anything may take, in microseconds: the vCPUs share cores.
const PATIENCE: u64 = 10_000_000;

/// By vCPU its MPIDR_EL1, once it listens; 0 before.
static LISTENING: [AtomicU64; MAX_VCPUS] = [const { AtomicU64::new(0) }; MAX_VCPUS];
static STOPPED: AtomicBool = AtomicBool::new(false);

/// The cases.
pub fn run(profile: &Profile) {
    let others = 1..profile.cpus;
    if !profile.gicv2 {
        distributor::redistributors(profile);
    }
    [QUESTION, ANSWER, BROADCAST].into_iter().for_each(gic::enable);
    for vcpu in others.clone() {
        report::equal(format_args!("vcpus/{vcpu} starts"), Ok(()), cpu::launch(vcpu, listen, 0));
    }
    for vcpu in others.clone() {
        counter::wait_until(PATIENCE, || affinity(vcpu) != 0);
        // Bit 31 is RES1, MT means nothing.
        report::equal(format_args!("vcpus/{vcpu} in its MPIDR"), 1 << 31 | vcpu as u64, affinity(vcpu) & !(1 << 30));
    }
    for vcpu in others.clone() {
        interrupts::clear();
        gic::send(QUESTION, 1 << vcpu);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(0, ANSWER) != 0));
        let got = (interrupts::count(vcpu, QUESTION), interrupts::count(0, ANSWER), interrupts::total());
        report::equal(format_args!("vcpus/an SGI to {vcpu} alone and back"), (1, 1, 2), got);
    }
    spis(profile);
    interrupts::clear();
    gic::send_to_others(BROADCAST);
    let reached = || others.clone().filter(|&vcpu| interrupts::count(vcpu, BROADCAST) == 1).count();
    counter::wait_until(PATIENCE, || reached() == others.len());
    let got = (reached(), interrupts::total());
    report::equal(format_args!("vcpus/an SGI to all others"), (others.len(), others.len()), got);
    STOPPED.store(true, SeqCst);
    gic::send_to_others(BROADCAST);
    for vcpu in others {
        report::equal(format_args!("vcpus/{vcpu} goes off"), true, cpu::join(vcpu, PATIENCE));
    }
}

fn affinity(vcpu: usize) -> u64 {
    LISTENING.get(vcpu).map_or(0, |affinity| affinity.load(SeqCst))
}

/// Every vCPU but the first: takes interrupts, and answers one of them, until it is told to stop.
fn listen() {
    let own = cpu::index();
    gic::init_cpu();
    [QUESTION, ANSWER, BROADCAST].into_iter().for_each(gic::enable);
    if let Some(place) = LISTENING.get(own) {
        place.store(cpu::affinity(), SeqCst);
    }
    while !STOPPED.load(SeqCst) {
        let before = interrupts::count(own, QUESTION);
        cpu::wait_for_interrupt();
        cpu::with_interrupts(|| {});
        if interrupts::count(own, QUESTION) > before {
            gic::send(ANSWER, 1);
        }
    }
}

/// An SPI goes where it is sent.
fn spis(profile: &Profile) {
    gic::set_edge(SPARE, true);
    gic::enable(SPARE);
    for vcpu in 0..profile.cpus {
        interrupts::clear();
        gic::route(SPARE, vcpu);
        gic::set_pending(SPARE);
        cpu::with_interrupts(|| counter::wait_until(PATIENCE, || interrupts::count(vcpu, SPARE) != 0));
        let got = (interrupts::count(vcpu, SPARE), interrupts::total());
        report::equal(format_args!("vcpus/an SPI to {vcpu} alone"), (1, 1), got);
    }
    gic::disable(SPARE);
}
