//! The end of the machine, asked for by a VM that may.

use std::panic::{AssertUnwindSafe, catch_unwind};

use portcullis_abi::manage::*;

use super::Bench;
use super::bench::{A, B, OPS};
use crate::machine::Machine;
use crate::machine::end::End;
use crate::service::psci;
use crate::vm::state::Action;

/// A guest's SYSTEM_OFF or SYSTEM_RESET, up to where its vCPU leaves its core.
fn end(bench: &Bench, vm: u64, action: Action, end: End) {
    psci::end_life(bench.vm(vm), action, end);
}

/// Plays the cores of the VM that is stopped last, whose end makes the board act. What the board says.
fn last(bench: &Bench, vm: u64) -> String {
    let said = catch_unwind(AssertUnwindSafe(|| bench.settle(vm))).unwrap_err();
    let said = said.downcast_ref::<&str>().unwrap().to_string();
    Machine::get().shutdown.forget();
    bench.ok(RESTART, [OPS, 0, 0]);
    bench.settle(OPS);
    said
}

#[test]
fn the_others_are_stopped_one_after_the_other_before_the_board_acts() {
    for (how, says) in [(End::Reset, "the machine was reset"), (End::Off, "the machine was switched off")] {
        let bench = Bench::new();
        bench.run(A);
        bench.run(B);
        bench.second_vcpu(B);
        end(&bench, B, Action::Reset, how);
        assert_eq!([OPS, A].map(|vm| bench.state(vm)), [(PHASE_RUNNING, PROGRESS_NONE); 2], "B has not left its cores");
        bench.settle(B);
        assert_eq!(bench.state(OPS), (PHASE_RUNNING, PROGRESS_STOPPING), "the first one in the manifest's order");
        assert_eq!(bench.state(A), (PHASE_RUNNING, PROGRESS_NONE), "its turn comes when the first one is off");
        bench.settle(OPS);
        assert_eq!(bench.state(A), (PHASE_RUNNING, PROGRESS_STOPPING));
        for request in [START, RESUME, RESTART, RECREATE] {
            bench.fails(request, [B, 0, 0], BUSY);
        }
        assert_eq!(last(&bench, A), says);
    }
}

#[test]
fn a_core_that_holds_up_the_shutdown_is_named_once() {
    const LATER: u64 = 1 << 40;
    let bench = Bench::new();
    bench.run(A);
    bench.run(B);
    bench.second_vcpu(B);
    end(&bench, B, Action::Off, End::Off);
    bench.step(bench.vcpu(B, 0));
    assert_eq!(Machine::get().name_deaf_cores(0), 0, "it has time");
    assert_eq!(Machine::get().name_deaf_cores(LATER), 1, "B's other core; the turn of the others has not come");
    bench.settle(B);
    assert_eq!(Machine::get().name_deaf_cores(LATER), 1, "the control VM's");
    assert_eq!(Machine::get().name_deaf_cores(LATER), 0, "it was said");
    bench.settle(OPS);
    assert_eq!(Machine::get().name_deaf_cores(LATER), 1, "A's");
    assert_eq!(last(&bench, A), "the machine was switched off");
}

#[test]
fn nothing_starts_again_meanwhile_and_a_paused_vm_ends_too() {
    let bench = Bench::new();
    bench.run(A);
    bench.run(B);
    bench.ok(PAUSE, [A, 0, 0]);
    bench.settle(A);
    // The control VM resets itself while B ends the machine: it must not come back.
    bench.vm(OPS).stop(Action::Reset);
    end(&bench, B, Action::Off, End::Off);
    bench.settle(B);
    bench.settle(OPS);
    assert_eq!(bench.state(OPS), (PHASE_STOPPED, PROGRESS_NONE));
    assert_eq!(bench.state(A), (PHASE_PAUSED, PROGRESS_STOPPING));
    assert_eq!(last(&bench, A), "the machine was switched off");
}

#[test]
fn without_permission_only_the_vm_ends() {
    let bench = Bench::new();
    bench.run(A);
    end(&bench, A, Action::Off, End::Off);
    bench.settle(A);
    assert_eq!(bench.state(A), (PHASE_STOPPED, PROGRESS_NONE));
    assert_eq!(bench.state(OPS), (PHASE_RUNNING, PROGRESS_NONE));
    assert_eq!(Machine::get().shutdown.wanted(), None);
}
