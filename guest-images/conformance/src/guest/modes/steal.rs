//! Stolen time on a core with others: what the structure says is what this vCPU measures by itself.
//!
//! These are cases S3 and S4 of KVM's steal_time test; S1 and S2 set the structure's address by an attribute of the vCPU's,
//! for which there is no counterpart here: every vCPU has its structure from the start. S4 compares with what the host's
//! scheduler says of the thread; here a vCPU watches the counter, and takes a jump of it for time that others had. That
//! holds where nothing else makes it jump: on one core whose time is its instructions.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::{counter, cpu, gic, mmio, power};
use portcullis_abi::map::{PV_TIME, PV_TIME_STRIDE, TIMER_VIRTUAL_INTID as TIMER};

use crate::guest::cases::pv_time;
use crate::guest::door::Door;
use crate::guest::report;

/// A jump of the counter is one of more than so many microseconds.
const JUMP: u64 = 50;
/// How long is measured, in microseconds.
const DURATION: u64 = 200_000;
/// How long is waited for an interrupt, and how long a vCPU is off.
const NAP: u64 = 50_000;
/// How often is waited for what never comes.
const WAITS: usize = 10;
/// Until when others must have ended, and a second vCPU is done.
const PATIENCE: u64 = 60_000_000;
/// When a vCPU that was switched on again had its first look, and what it saw.
static LOOKED: AtomicU64 = AtomicU64::new(0);
static SEEN: AtomicU64 = AtomicU64::new(0);
static FAILED: AtomicBool = AtomicBool::new(false);

/// The cases of a VM with several vCPUs on one core with others.
pub fn starved(profile: &Profile) {
    for vcpu in 1..profile.cpus {
        report::equal(format_args!("steal/start vCPU {vcpu}"), Ok(()), cpu::launch(vcpu, measure, 0));
    }
    measure();
    for vcpu in 1..profile.cpus {
        report::equal(format_args!("steal/end vCPU {vcpu}"), true, cpu::join(vcpu, PATIENCE));
    }
    if profile.cpus > 1 {
        off_and_on(1);
    }
    alone();
    report::equal(format_args!("steal/never falls"), false, FAILED.load(SeqCst));
}

/// The stolen time of a vCPU in nanoseconds.
pub fn stolen_of(vcpu: usize) -> u64 {
    mmio::read64(PV_TIME + vcpu as u64 * PV_TIME_STRIDE + 8)
}

fn stolen() -> u64 {
    stolen_of(cpu::index())
}

/// Nanoseconds since the counter was `start`.
fn since(start: u64) -> u64 {
    nanoseconds(counter::virtual_count() - start)
}

pub fn nanoseconds(ticks: u64) -> u64 {
    (u128::from(ticks) * 1_000_000_000 / u128::from(counter::frequency())) as u64
}

/// The cases of one vCPU.
fn measure() {
    pv_time::structure(&Door::new(power::conduit()));
    let vcpu = cpu::index();
    let got = busy();
    let (low, high) = (got.jumps - got.jumps / 50, got.jumps + got.total / 50);
    let name = format_args!("steal/vCPU {vcpu} grows by what others had");
    report::holds(name, (low..=high).contains(&got.growth), "the sum of the jumps, within 2 %", &got);
    let name = format_args!("steal/vCPU {vcpu} is starved");
    report::holds(name, got.jumps > got.total / 2, "more than half of the time", &got);
    let word = mmio::read64(PV_TIME + vcpu as u64 * PV_TIME_STRIDE);
    report::equal(format_args!("steal/vCPU {vcpu} revision and attributes"), 0, word);
    wait();
    wait_in_vain();
}

/// What a vCPU that always runs saw, in nanoseconds.
#[derive(Debug)]
struct Measured {
    total: u64,
    jumps: u64,
    growth: u64,
}

fn busy() -> Measured {
    let limit = counter::ticks(DURATION);
    let jump = counter::ticks(JUMP);
    let (start, before) = (counter::virtual_count(), stolen());
    let (mut last, mut highest, mut jumps) = (start, before, 0);
    while last - start < limit {
        let now = counter::virtual_count();
        if now - last > jump {
            jumps += now - last;
            let seen = stolen();
            FAILED.fetch_or(seen < highest, SeqCst);
            highest = seen;
        }
        last = now;
    }
    Measured { total: nanoseconds(last - start), jumps: nanoseconds(jumps), growth: stolen() - before }
}

/// The wait for an interrupt is nobody's theft; the wait for the core after it is.
fn wait() {
    let vcpu = cpu::index();
    gic::init_cpu();
    gic::enable(TIMER);
    let before = stolen();
    let deadline = counter::virtual_count() + counter::ticks(NAP);
    counter::arm(counter::ticks(NAP), counter::CONTROL_ENABLE);
    while counter::control() & counter::CONTROL_STATUS == 0 {
        cpu::wait_for_interrupt();
    }
    let (late, growth) = (since(deadline), stolen() - before);
    counter::set_control(0);
    gic::disable(TIMER);
    let within = (late - late / 50).saturating_sub(JUMP * 1000)..=late + NAP * 1000 / 100;
    let name = format_args!("steal/vCPU {vcpu} waits for an interrupt");
    report::holds(name, within.contains(&growth), "growth by how late it was, within 1 % of the wait", &(late, growth));
}

/// A timer that was due before the wait began, and that no wait ends by, as its group is off: no more is stolen than the time
/// that passes.
fn wait_in_vain() {
    let vcpu = cpu::index();
    gic::enable(TIMER);
    gic::set_group_0(TIMER);
    counter::arm(0, counter::CONTROL_ENABLE);
    counter::delay(NAP);
    let (start, before) = (counter::virtual_count(), stolen());
    for _ in 0..WAITS {
        cpu::wait_for_interrupt();
    }
    let (passed, growth) = (since(start), stolen() - before);
    counter::set_control(0);
    gic::disable(TIMER);
    let name = format_args!("steal/vCPU {vcpu} waits for what is due");
    report::holds(name, growth <= passed, "growth by the time that passed at the most", &(passed, growth));
}

/// What a vCPU lost before it went off is kept, and nothing is added while it is off.
fn off_and_on(vcpu: usize) {
    let before = stolen_of(vcpu);
    counter::delay(NAP);
    report::equal(format_args!("steal/off, nothing is added"), before, stolen_of(vcpu));
    let start = counter::virtual_count();
    let look = || {
        SEEN.store(stolen(), SeqCst);
        LOOKED.store(counter::virtual_count(), SeqCst);
    };
    let on = cpu::launch(vcpu, look, 0);
    let joined = on.is_ok() && cpu::join(vcpu, PATIENCE);
    let (seen, latency) = (SEEN.load(SeqCst), nanoseconds(LOOKED.load(SeqCst).saturating_sub(start)));
    let expected = before > 0 && (before..=before + latency).contains(&seen);
    report::holds(
        format_args!("steal/off and on, kept"),
        joined && expected,
        "what it was, and at most the time until it ran",
        &(before, seen, latency),
    );
}

/// When all others have ended or wait, nothing is stolen any more.
fn alone() {
    let quiet = counter::wait_until(PATIENCE, || {
        let before = stolen();
        counter::delay(NAP);
        stolen() == before
    });
    let got = busy();
    report::holds(format_args!("steal/alone"), quiet && got.growth < got.total / 1000, "less than 0.1 %", &got);
}
