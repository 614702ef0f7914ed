//! Nothing of a vCPU is lost while others have its core, and nothing of theirs is left when it starts.
//!
//! Every register that a vCPU owns gets a value of its own, in each round another one, before others have the core: by WFI,
//! or because the slice ends in the middle of a loop. Then each must be as it was. What is there before this program has
//! written it must be what a vCPU starts with: at the first start, after CPU_ON, and after the VM has reset itself. VMs with
//! different seeds that share a core so look for each other's values. That no register was forgotten is what a walk shows over
//! all that can be named.

mod debug;
mod hold;
mod interface;
mod known;
mod optional;
mod round;
mod slot;
mod system;
mod tables;
mod walk;

use core::sync::atomic::{AtomicU64, Ordering::SeqCst};

use conformance::profile::Profile;
use guest_runtime::cpu;

use self::hold::Registers;
use self::slot::Slot;
use crate::guest::modes::reset;
use crate::guest::report;

/// How often the second vCPU is switched on in each of them.
const STARTS: usize = 2;
/// How long a second vCPU may take, in microseconds.
const PATIENCE: u64 = 60_000_000;

static SEED: AtomicU64 = AtomicU64::new(0);
static ROUNDS: AtomicU64 = AtomicU64::new(0);
static BOOT: AtomicU64 = AtomicU64::new(0);

/// One life of the VM: checks what there is at its start, then holds values for `calls` rounds. All but the last life end in
/// a reset.
pub fn run(profile: &Profile) {
    let boot = reset::boots();
    BOOT.store(boot, SeqCst);
    SEED.store(profile.seed, SeqCst);
    ROUNDS.store(profile.calls, SeqCst);
    for start in 0..STARTS {
        if profile.cpus > 1 {
            report::equal(format_args!("leak/boot {boot} start {start}"), Ok(()), cpu::launch(1, vcpu, 0));
        }
        if start == 0 {
            vcpu();
        }
        if profile.cpus > 1 {
            report::equal(format_args!("leak/boot {boot} end {start}"), true, cpu::join(1, PATIENCE));
        }
    }
    if boot == 0 && profile.cpus > 1 {
        walk::run();
    }
    if boot < profile.resets {
        reset::note(boot + 1);
        reset::by_call(boot, profile);
    } else {
        reset::note(0);
    }
}

/// The whole test on one vCPU that has just started.
fn vcpu() {
    let boot = BOOT.load(SeqCst);
    fresh(boot);
    round::run(boot, SEED.load(SeqCst), ROUNDS.load(SeqCst));
}

/// What an exception changes, and floating point's lock: looked at before anything makes one, or opens it.
const FIRST: [&str; 5] = ["ESR_EL1", "FAR_EL1", "ELR_EL1", "SPSR_EL1", "CPACR_EL1"];

/// Everything has the value with which a vCPU starts.
fn fresh(boot: u64) {
    let vcpu = cpu::index();
    let arrived = cpu::residue();
    report::equal(format_args!("leak/boot {boot} vCPU {vcpu} fresh general registers"), 0, arrived.general);
    report::equal(format_args!("leak/boot {boot} vCPU {vcpu} fresh translation and vectors"), 0, arrived.system);
    let is_first = |slot: &&Slot| FIRST.contains(&slot.name);
    system::SLOTS.iter().filter(is_first).for_each(|slot| check(boot, vcpu, slot));
    round::open_floating_point();
    let left = Registers::floating_point();
    let zero = left == Registers::filled(|_| 0);
    report::holds(format_args!("leak/boot {boot} vCPU {vcpu} fresh floating point"), zero, "zeros", &left);
    tables::present().into_iter().flatten().filter(|slot| !is_first(slot)).for_each(|slot| check(boot, vcpu, slot));
}

fn check(boot: u64, vcpu: usize, slot: &Slot) {
    if let Some(reset) = slot.reset {
        let name = format_args!("leak/boot {boot} vCPU {vcpu} fresh {}", slot.name);
        report::equal(name, reset, (slot.read)() & slot.mask);
    }
}
