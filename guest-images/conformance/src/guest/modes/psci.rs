//! PSCI by several vCPUs at once: CPU_ON of one by all others, CPU_OFF of all others, and every form of SYSTEM_OFF2.
//!
//! Each boot ends by another form of SYSTEM_OFF2, so somebody has to start the VM again. Which boot it is stands in memory that a
//! start leaves alone, as for [`super::reset`].

use core::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::{console, counter, cpu, power};
use portcullis_abi::function::{PSCI_AFFINITY_INFO, PSCI_CPU_ON, PSCI_SYSTEM_OFF2, SMC64};
use portcullis_abi::map::MAX_VCPUS;
use portcullis_abi::result::*;

use super::reset;
use crate::guest::door::{Door, code};
use crate::guest::report;

/// The vCPU that all others switch on.
const TARGET: usize = 1;
/// How often they do.
const ROUNDS: u64 = 20;
/// Longest time that a round may take, in microseconds.
const PATIENCE: u64 = 10_000_000;
/// How long no vCPU may come back for, in microseconds.
const SILENCE: u64 = 100_000;
/// What no call returns.
const NOTHING: i64 = i64::MAX;
/// Ends the racers' work.
const OVER: u64 = u64::MAX;
/// The forms of SYSTEM_OFF2 that switch a VM off: function and type.
const ENDS: [(u32, u64); 4] =
    [(PSCI_SYSTEM_OFF2 | SMC64, 1), (PSCI_SYSTEM_OFF2 | SMC64, 0), (PSCI_SYSTEM_OFF2, 1), (PSCI_SYSTEM_OFF2, 0)];

/// The round that is on; 0 before the first.
static ROUND: AtomicU64 = AtomicU64::new(0);
static RESULTS: [AtomicI64; MAX_VCPUS] = [const { AtomicI64::new(NOTHING) }; MAX_VCPUS];
/// How often the target has begun.
static BEGUN: AtomicU32 = AtomicU32::new(0);
/// How often any vCPU but the first has come back from CPU_OFF.
static BACK: AtomicU32 = AtomicU32::new(0);

/// One boot.
pub fn run(profile: &Profile) {
    let boot = reset::boots();
    console::line(format_args!("boot: {boot}"));
    states(profile);
    race(profile);
    all_off(profile);
    let next = (boot + 1) % ENDS.len() as u64;
    reset::note(next);
    if let Some(&(function, kind)) = ENDS.get(boot as usize % ENDS.len()) {
        wrong_ends(boot);
        // That nothing comes back is seen by the line after this one, which has its name, and by the hypervisor's own.
        report::pass(format_args!("psci/boot {boot} goes off by {function:#x} type {kind}"));
        report::finish();
        console::drain();
        let answer = Door::new(power::conduit()).call(function.into(), [kind, 0, 0]);
        report::fail(format_args!("psci/boot {boot} goes off by {function:#x} type {kind}"), &"no return", &answer);
    }
}

fn affinity_info(target: usize) -> i64 {
    Door::new(power::conduit()).call((PSCI_AFFINITY_INFO | SMC64).into(), [target as u64, 0, 0]).x[0] as i64
}

/// This vCPU is on, all others are off.
fn states(profile: &Profile) {
    report::equal(format_args!("psci/vCPU 0 is on"), PSCI_AFFINITY_ON, affinity_info(0));
    for vcpu in 1..profile.cpus {
        report::equal(format_args!("psci/vCPU {vcpu} is off"), PSCI_AFFINITY_OFF, affinity_info(vcpu));
    }
}

/// The context with which vCPU `caller` switches the target on in this round.
fn context(round: u64, caller: usize) -> u64 {
    round << 8 | caller as u64
}

fn begin() {
    BEGUN.fetch_add(1, SeqCst);
}

/// Switches the target on, and writes down what came of it.
fn switch_on(round: u64) {
    let caller = cpu::index();
    let function = if round.is_multiple_of(2) { PSCI_CPU_ON } else { PSCI_CPU_ON | SMC64 };
    let arguments = [TARGET as u64, cpu::entry_address(), context(round, caller)];
    let answer = Door::new(power::conduit()).call(function.into(), arguments);
    let state = affinity_info(TARGET);
    // Whoever was answered finds it on, whatever the answer was: the target stays on until the round is over.
    let result = if state == PSCI_AFFINITY_ON { answer.x[0] as i64 } else { NOTHING - 1 };
    if let Some(cell) = RESULTS.get(caller) {
        cell.store(result, SeqCst);
    }
}

/// What every vCPU but the first and the target does: it takes part in each round.
fn take_part() {
    let mut done = 0;
    loop {
        match ROUND.load(SeqCst) {
            OVER => return,
            round if round != done => {
                done = round;
                switch_on(round);
            }
            _ => core::hint::spin_loop(),
        }
    }
}

/// The target: it goes off when every caller has its answer.
fn hold() {
    begin();
    let answered = || RESULTS.iter().filter(|cell| cell.load(SeqCst) != NOTHING).count();
    counter::wait_until(PATIENCE, || answered() as u64 == CALLERS.load(SeqCst));
}

/// How many vCPUs call.
static CALLERS: AtomicU64 = AtomicU64::new(0);

/// All others switch the target on at once: one call succeeds, and to all others it is on already.
fn race(profile: &Profile) {
    let callers = || (0..profile.cpus).filter(|&vcpu| vcpu != TARGET);
    CALLERS.store(callers().count() as u64, SeqCst);
    for vcpu in callers().filter(|&vcpu| vcpu != 0) {
        report::equal(format_args!("psci/vCPU {vcpu} starts"), Ok(()), cpu::launch(vcpu, take_part, 0));
    }
    for round in 1..=ROUNDS {
        RESULTS.iter().for_each(|cell| cell.store(NOTHING, SeqCst));
        BEGUN.store(0, SeqCst);
        cpu::prepare(TARGET, hold);
        ROUND.store(round, SeqCst);
        switch_on(round);
        let joined = cpu::join(TARGET, PATIENCE);
        let results = RESULTS.each_ref().map(|cell| cell.load(SeqCst));
        let with = |code| callers().filter(move |&vcpu| results.get(vcpu) == Some(&code));
        let arrived = cpu::arrival(TARGET).map(|arrival| arrival.context);
        let got = (joined, BEGUN.load(SeqCst), with(PSCI_SUCCESS).count(), with(PSCI_ALREADY_ON).count());
        let expected = (true, 1, 1, callers().count() - 1);
        report::equal(format_args!("psci/round {round} one succeeds, to the others it is on"), expected, got);
        let winner = with(PSCI_SUCCESS).next().map(|caller| context(round, caller));
        report::equal(format_args!("psci/round {round} begins with the context of who succeeded"), winner, arrived);
    }
    ROUND.store(OVER, SeqCst);
    for vcpu in callers().filter(|&vcpu| vcpu != 0) {
        report::equal(format_args!("psci/vCPU {vcpu} ends"), true, cpu::join(vcpu, PATIENCE));
    }
}

/// All others go off, and stay off.
fn all_off(profile: &Profile) {
    let others = 1..profile.cpus;
    for vcpu in others.clone() {
        report::equal(format_args!("psci/vCPU {vcpu} starts to go off"), Ok(()), cpu::launch(vcpu, || {}, 0));
    }
    for vcpu in others.clone() {
        report::equal(format_args!("psci/vCPU {vcpu} goes off"), true, cpu::join(vcpu, PATIENCE));
    }
    for vcpu in others.clone() {
        cpu::prepare(vcpu, || {
            BACK.fetch_add(1, SeqCst);
        });
    }
    counter::delay(SILENCE);
    report::equal(format_args!("psci/nobody comes back from CPU_OFF"), 0, BACK.load(SeqCst));
    for vcpu in others {
        report::equal(format_args!("psci/vCPU {vcpu} stays off"), PSCI_AFFINITY_OFF, affinity_info(vcpu));
    }
}

/// Forms of SYSTEM_OFF2 that nothing comes of (DEN0022 section 5.11).
fn wrong_ends(boot: u64) {
    let door = Door::new(power::conduit());
    for function in [PSCI_SYSTEM_OFF2, PSCI_SYSTEM_OFF2 | SMC64] {
        for (kind, cookie) in [(1, 1), (0, 1), (2, 0), (0x8000_0000, 0)] {
            let name = format_args!("psci/boot {boot} {function:#x} type {kind:#x} cookie {cookie}");
            door.expect(name, function.into(), [kind, cookie, 0], code(PSCI_INVALID_PARAMETERS));
        }
    }
}
