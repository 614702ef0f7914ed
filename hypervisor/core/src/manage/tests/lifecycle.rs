//! Start, pause, resume, stop, restart, recreate; failures and the restart policy.

use core::cell::Cell;
use core::sync::atomic::Ordering;

use portcullis_abi::firmware::STD;
use portcullis_abi::manage::*;
use portcullis_abi::{map, result};
use portcullis_gate::PsciFunction;

use super::Bench;
use super::bench::{A, B, MEMORY, OPS, VMS};
use crate::machine::Machine;
use crate::service::psci;
use crate::vm::failure::{Failure, Reason};
use crate::vm::power::PowerState;
use crate::vm::state::Action;

const REQUESTS: [u32; 7] = [START, PAUSE, RESUME, STOP, RESTART, RECREATE, FORGET];

fn failure(vcpu: usize) -> Failure {
    Failure { reason: Reason::Access, vcpu, syndrome: 0x9300_0046, pc: 0x4008_1234, address: 0xdead_0000 }
}

#[test]
fn a_wrong_state_is_told_and_nothing_happens() {
    let bench = Bench::new();
    let allowed = |phase, request| match phase {
        PHASE_CREATED => matches!(request, START | RECREATE),
        PHASE_RUNNING => matches!(request, PAUSE | STOP | RESTART),
        PHASE_PAUSED => matches!(request, RESUME | STOP | RESTART),
        _ => matches!(request, RESTART | RECREATE),
    };
    let check = |phase| {
        assert_eq!(bench.state(A), (phase, PROGRESS_NONE));
        for request in REQUESTS.into_iter().filter(|&request| !allowed(phase, request)) {
            bench.fails(request, [A, 0, 0], BAD_STATE);
            assert_eq!(bench.state(A), (phase, PROGRESS_NONE));
        }
    };
    check(PHASE_CREATED);
    bench.run(A);
    check(PHASE_RUNNING);
    bench.ok(PAUSE, [A, 0, 0]);
    bench.settle(A);
    check(PHASE_PAUSED);
    bench.ok(STOP, [A, 0, 0]);
    bench.settle(A);
    check(PHASE_STOPPED);
    bench.ok(RESTART, [A, 0, 0]);
    bench.settle(A);
    bench.fault(A, failure(0));
    check(PHASE_FAILED);
}

#[test]
fn what_is_in_progress_is_shown_and_keeps_others_out() {
    let bench = Bench::new();
    let busy = |progress| {
        assert_eq!(bench.state(A).1, progress);
        for request in REQUESTS {
            bench.fails(request, [A, 0, 0], BUSY);
        }
        bench.settle(A);
    };
    bench.ok(START, [A, 0, 0]);
    assert_eq!(bench.state(A), (PHASE_RUNNING, PROGRESS_LOADING));
    bench.settle(A);
    bench.ok(PAUSE, [A, 0, 0]);
    busy(PROGRESS_PAUSING);
    bench.ok(RESUME, [A, 0, 0]);
    bench.settle(A);
    bench.ok(RESTART, [A, 0, 0]);
    busy(PROGRESS_RESTARTING);
    bench.ok(STOP, [A, 0, 0]);
    busy(PROGRESS_STOPPING);
    bench.ok(RECREATE, [A, 0, 0]);
    busy(PROGRESS_SCRUBBING);
    assert_eq!(bench.state(A), (PHASE_CREATED, PROGRESS_NONE));
}

#[test]
fn a_vm_is_paused_when_all_its_vcpus_stand_still() {
    let bench = Bench::new();
    bench.run(B);
    bench.second_vcpu(B);
    bench.ok(PAUSE, [B, 0, 0]);
    bench.step(bench.vcpu(B, 0));
    assert_eq!(bench.state(B), (PHASE_RUNNING, PROGRESS_PAUSING));
    bench.step(bench.vcpu(B, 1));
    assert_eq!(bench.state(B), (PHASE_PAUSED, PROGRESS_NONE));
    // Resumed and paused again before any core has noticed: they never moved.
    bench.ok(RESUME, [B, 0, 0]);
    bench.ok(PAUSE, [B, 0, 0]);
    assert_eq!(bench.state(B), (PHASE_PAUSED, PROGRESS_NONE));
    bench.ok(RESUME, [B, 0, 0]);
    bench.settle(B);
    assert_eq!(bench.state(B), (PHASE_RUNNING, PROGRESS_NONE));
}

#[test]
fn a_core_that_does_not_answer_is_named_once() {
    const LATER: u64 = 1 << 40;
    let bench = Bench::new();
    bench.run(B);
    bench.second_vcpu(B);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0, "nothing was asked");
    bench.ok(PAUSE, [B, 0, 0]);
    bench.step(bench.vcpu(B, 0));
    assert_eq!(bench.vm(B).name_deaf_cores(0), 0, "it has time");
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 1 << 1, "the other one stands still");
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0, "it was said");
    bench.settle(B);
    bench.ok(STOP, [B, 0, 0]);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0b11);
    bench.settle(B);
    // Loading and scrubbing may wait for a turn.
    bench.ok(RESTART, [B, 0, 0]);
    bench.ok(STOP, [B, 0, 0]);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0);
    bench.settle(B);
    bench.ok(RECREATE, [B, 0, 0]);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0);
    bench.settle(B);
}

/// A call of PSCI's by B's first vCPU.
fn psci(bench: &Bench, function: PsciFunction, arguments: [u64; 3]) -> i64 {
    psci::serve(bench.vcpu(B, 0), function, arguments).unwrap()
}

#[test]
fn a_core_that_does_not_begin_what_cpu_on_asked_for_is_named_once() {
    const LATER: u64 = 1 << 40;
    let bench = Bench::new();
    bench.run(B);
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_SUCCESS);
    assert_eq!(psci(&bench, PsciFunction::AffinityInfo, [1, 0, 0]), result::PSCI_AFFINITY_ON);
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_ALREADY_ON);
    // Those who asked were early, as the counter of the tests stands still.
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 1 << 1);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0, "it was said");
    bench.settle(B);
    assert_eq!(psci(&bench, PsciFunction::AffinityInfo, [1, 0, 0]), result::PSCI_AFFINITY_ON);
    bench.vm(B).retired(bench.vcpu(B, 1));
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_SUCCESS);
    bench.ok(PAUSE, [B, 0, 0]);
    bench.settle(B);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0, "a paused VM begins nothing");
    bench.ok(RESUME, [B, 0, 0]);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 1 << 1, "it was asked anew, and so it is said anew");
    bench.settle(B);
    assert_eq!(bench.vm(B).name_deaf_cores(LATER), 0, "it has begun");
}

#[test]
fn of_calls_of_cpu_on_at_once_one_succeeds_and_to_the_others_it_is_on() {
    let bench = Bench::new();
    bench.run(B);
    let second = bench.vcpu(B, 1);
    // Another core is about to write down where it starts.
    assert!(second.claim());
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_ALREADY_ON);
    assert_eq!(psci(&bench, PsciFunction::AffinityInfo, [1, 0, 0]), result::PSCI_AFFINITY_ON);
    second.switched_off();
    assert_eq!(psci(&bench, PsciFunction::AffinityInfo, [1, 0, 0]), result::PSCI_AFFINITY_OFF);
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_SUCCESS);
    assert_eq!(psci(&bench, PsciFunction::CpuOn, [1, map::RAM, 0]), result::PSCI_ALREADY_ON);
    bench.settle(B);
}

#[test]
fn a_vcpu_that_switches_itself_off_does_not_hold_up_a_pause() {
    let bench = Bench::new();
    bench.run(B);
    bench.second_vcpu(B);
    bench.ok(PAUSE, [B, 0, 0]);
    bench.step(bench.vcpu(B, 0));
    bench.vm(B).retired(bench.vcpu(B, 1));
    assert_eq!(bench.state(B), (PHASE_PAUSED, PROGRESS_NONE));
    bench.ok(RESUME, [B, 0, 0]);
    bench.settle(B);
    bench.ok(PAUSE, [B, 0, 0]);
    bench.vm(B).retired(bench.vcpu(B, 0));
    assert_eq!(bench.state(B), (PHASE_STOPPED, PROGRESS_NONE), "with its last vCPU off it is off");
}

#[test]
fn a_pause_while_it_is_loaded_takes_hold_before_its_first_instruction() {
    let bench = Bench::new();
    bench.ok(START, [A, 0, 0]);
    bench.ok(PAUSE, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(bench.state(A).0, PHASE_PAUSED);
    assert_eq!(bench.vcpu(A, 0).power(), PowerState::OnPending);
    bench.ok(RESUME, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(bench.vcpu(A, 0).power(), PowerState::On);
}

#[test]
fn what_is_about_to_be_switched_on_is_still_off() {
    let bench = Bench::new();
    let vcpu = bench.vcpu(A, 0);
    assert!(vcpu.claim());
    assert_eq!(vcpu.power(), PowerState::Off, "a core that several vCPUs share would run it");
    assert!(!vcpu.claim() && !vcpu.switch_on(PowerState::OnPending, 0, 0), "nobody else may say where it starts");
    vcpu.switched_off();
}

#[test]
fn the_guest_s_own_end_goes_before_a_pause() {
    let bench = Bench::new();
    bench.run(A);
    bench.ok(PAUSE, [A, 0, 0]);
    bench.vm(A).stop(Action::Off);
    bench.settle(A);
    assert_eq!(bench.state(A).0, PHASE_STOPPED);
}

#[test]
fn a_restart_loads_the_images_again_and_keeps_the_registers() {
    let bench = Bench::new();
    bench.ok(REGISTER_CLEAR, [B, 0, 0]);
    bench.run(B);
    for (round, from) in [PHASE_RUNNING, PHASE_PAUSED, PHASE_STOPPED].into_iter().enumerate() {
        match from {
            PHASE_PAUSED => _ = bench.ok(PAUSE, [B, 0, 0]),
            PHASE_STOPPED => _ = bench.ok(STOP, [B, 0, 0]),
            _ => {}
        }
        bench.settle(B);
        assert_eq!(bench.state(B).0, from);
        bench.ram(B)[0x8_0000] = 0xff;
        bench.ok(RESTART, [B, 0, 0]);
        bench.settle(B);
        assert_eq!(bench.state(B).0, PHASE_RUNNING);
        assert_eq!(bench.ram(B)[0x8_0000], 0x14);
        assert_eq!(bench.ok(VM_STATE, [B, 0, 0])[1] >> 32, round as u64 + 1);
    }
    bench.fails(REGISTER_SET, [B, portcullis_abi::firmware::STD, 1], FROZEN);
}

#[test]
fn no_set_is_taken_and_then_lost_while_a_created_vm_is_made_anew() {
    let bench = Bench::new();
    let before = bench.ok(REGISTER_GET, [A, STD, 0]);
    bench.ok(RECREATE, [A, 0, 0]);
    assert_eq!(bench.state(A), (PHASE_CREATED, PROGRESS_SCRUBBING));
    bench.fails(REGISTER_SET, [A, STD, 0], FROZEN);
    bench.fails(REGISTER_CLEAR, [A, 0, 0], FROZEN);
    bench.fails(FILTER_ADD, [A, 0xc200_0000 | 1 << 32, FILTER_DENY], FROZEN);
    bench.settle(A);
    assert_eq!(bench.ok(REGISTER_GET, [A, STD, 0]), before);
    bench.ok(REGISTER_SET, [A, STD, 0]);
    assert_eq!(bench.ok(REGISTER_GET, [A, STD, 0]), [0; 3]);
}

#[test]
fn recreation_leaves_nothing() {
    let bench = Bench::new();
    bench.ok(AUDIT_SET, [B, 1, 0]);
    bench.run(B);
    bench.ram(B).fill(0xa5);
    bench.account(B, 1).refuse(true, portcullis_gate::Group::Unknown, 0x8700_0000, 5);
    bench.vm(B).pv_time.publish(1, 99);
    for _ in 0..2 {
        bench.fault(B, failure(0));
    }
    assert_eq!(bench.state(B).0, PHASE_FAILED);
    bench.ok(RECREATE, [B, 0, 0]);
    bench.settle(B);
    assert_eq!(bench.ram(B).len(), MEMORY);
    assert!(bench.ram(B).iter().all(|&byte| byte == 0));
    assert_eq!(bench.ok(VM_STATE, [B, 0, 0]), [PHASE_CREATED | STATE_RESTARTS, 2, MEMORY as u64]);
    assert_eq!(bench.ok(VM_FAILURE, [B, 0, 0]), [0; 3]);
    assert_eq!(bench.ok(COUNTER, [B, COUNTER_DENIED_SMC, 7]), [0; 3]);
    bench.fails(REFUSED, [B, 0, 0], NO_ITEM);
    bench.fails(AUDIT_LIST, [B, 0, 0], NO_ITEM);
    assert!(!bench.profile(B).is_frozen());
}

#[test]
fn a_failure_can_be_read_and_the_policy_has_its_limit() {
    let bench = Bench::new();
    bench.run(A);
    bench.fault(A, failure(0));
    assert_eq!(bench.state(A).0, PHASE_FAILED);
    let expected = [FAILURE_ACCESS | 0x9300_0046 << 32, 0x4008_1234, 0xdead_0000];
    assert_eq!(bench.ok(VM_FAILURE, [A, 0, 0]), expected);

    bench.run(B);
    bench.fault(B, failure(1));
    assert_eq!(bench.state(B).0, PHASE_RUNNING, "it starts again once");
    assert_eq!(bench.ok(VM_FAILURE, [B, 0, 0])[0], expected[0] | 1 << 8);
    bench.fault(B, failure(1));
    assert_eq!(bench.state(B).0, PHASE_FAILED);
    bench.ok(RESTART, [B, 0, 0]);
    bench.settle(B);
    bench.fault(B, failure(1));
    assert_eq!(bench.state(B).0, PHASE_RUNNING, "a manager's restart begins the count anew");
    assert_eq!(bench.ok(VM_STATE, [B, 0, 0])[1] >> 32, 3);
}

#[test]
fn the_control_vm_neither_pauses_nor_recreates_itself() {
    let bench = Bench::new();
    bench.fails(PAUSE, [OPS, 0, 0], NOT_PERMITTED);
    bench.fails(RECREATE, [OPS, 0, 0], BAD_STATE);
    bench.fails(START, [OPS, 0, 0], BAD_STATE);
    for request in REQUESTS {
        bench.fails(request, [VMS, 0, 0], UNKNOWN_VM);
    }
}

#[test]
fn another_manager_at_the_same_vm_makes_it_busy() {
    let bench = Bench::new();
    let lock = bench.vm(A).manager_lock().unwrap();
    for request in REQUESTS {
        bench.fails(request, [A, 0, 0], BUSY);
    }
    bench.fails(FILTER_ADD, [A, 0x8400_0050 | 1 << 32, 1], BUSY);
    bench.ok(REGISTER_SET, [A, portcullis_abi::firmware::STD, 0]);
    drop(lock);
    bench.run(A);
}

/// 200 lives of a VM with two vCPUs beside others: nothing is used up and nothing is left over.
#[test]
fn two_hundred_lives() {
    let bench = Bench::new();
    let free = bench.ok(MACHINE, [0; 3])[1];
    bench.run(A);
    for _ in 0..200 {
        bench.run(B);
        bench.second_vcpu(B);
        bench.ok(STOP, [B, 0, 0]);
        bench.settle(B);
        bench.ok(RECREATE, [B, 0, 0]);
        bench.settle(B);
    }
    assert_eq!(bench.ok(MACHINE, [0; 3])[1], free);
    assert_eq!(bench.state(A), (PHASE_RUNNING, PROGRESS_NONE));
    assert_eq!(bench.vm(B).live(), 0);
}

#[test]
fn a_vcpu_that_is_held_again_before_it_goes_on_stands_still() {
    let bench = Bench::new();
    bench.run(A);
    let (vm, vcpu) = (bench.vm(A), bench.vcpu(A, 0));
    bench.ok(PAUSE, [A, 0, 0]);
    bench.settle(A);
    // It has not seen that a pause, this one or another, goes on behind its last look.
    assert!(!vm.unparked(vcpu));
    assert!(vm.sets().all_parked());
    bench.ok(RESUME, [A, 0, 0]);
    assert!(vm.unparked(vcpu));
    assert!(!vm.sets().all_parked());
    // A pause that begins before it goes on, and that it ends.
    vm.parked(vcpu);
    bench.ok(PAUSE, [A, 0, 0]);
    assert_eq!(bench.state(A), (PHASE_PAUSED, PROGRESS_NONE), "all of them stood still");
    bench.ok(RESUME, [A, 0, 0]);
    bench.settle(A);
    bench.ok(PAUSE, [A, 0, 0]);
    assert!(!vm.unparked(vcpu));
    assert_eq!(bench.state(A), (PHASE_PAUSED, PROGRESS_NONE));
}

#[test]
fn a_restart_as_a_pause_completes_leaves_the_vm_counted() {
    let bench = Bench::new();
    bench.run(A);
    let (vm, vcpu) = (bench.vm(A), bench.vcpu(A, 0));
    let running = || Machine::get().running.load(Ordering::Relaxed);
    let before = running();
    bench.ok(PAUSE, [A, 0, 0]);
    let lock = vm.manager_lock().unwrap();
    let tries = Cell::new(0);
    let restarted = lock.restart_by(|state| {
        tries.set(tries.get() + 1);
        if tries.get() == 1 {
            // Its vCPU stands still between the look at the VM's state and its change.
            vm.parked(vcpu);
            return Ok(state);
        }
        state.restart()
    });
    drop(lock);
    assert_eq!((restarted, tries.get(), running()), (Ok(()), 2, before));
    bench.settle(A);
    assert_eq!((bench.state(A), running()), ((PHASE_RUNNING, PROGRESS_NONE), before));
    bench.ok(STOP, [A, 0, 0]);
    bench.settle(A);
    assert_eq!(running(), before - 1);
}
