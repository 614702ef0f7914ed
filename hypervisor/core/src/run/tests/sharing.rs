//! vCPUs that share a core.

use portcullis_arch::account::Exit;
use portcullis_arch::fake::Outcome;
use portcullis_board::signal::{EL2_TIMER_INTID, KICK};

use crate::tests::guest::{raise_sgi, wants};
use crate::tests::rig::{Rig, exits, vm};
use crate::vm::activity::Activity;
use crate::vm::failure::Reason;
use crate::vm::state::{Action, Phase};

/// Ticks of a slice that the manifest does not name: 5 ms.
const SLICE: u64 = 5_000;

/// A machine whose control VM has core 0, and two VMs that share core 1.
fn rig() -> Rig {
    let rig = Rig::new(&[vm("ops", &[0]), vm("a", &[1]), vm("b", &[1])]);
    rig.settle();
    // Loading is done in pieces, when it is a VM's turn.
    while [1, 2].iter().any(|vm| rig.vcpu(*vm, 0).activity() == Activity::Off) {
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    rig
}

/// Lets slices end until a VM has the core.
fn until_its(rig: &Rig, vm: usize) {
    for _ in 0..8 {
        if rig.loaded(1) == Some((vm, 0)) && rig.is_in_guest(1) {
            return;
        }
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("VM {vm} never had its turn: {:?}", rig.loaded(1));
}

#[test]
fn both_get_the_core_in_turns_each_with_its_own_registers() {
    let rig = rig();
    for round in 0..6u64 {
        for vm in [1, 2] {
            until_its(&rig, vm);
            assert_eq!(rig.register(1, "vttbr_el2"), rig.vm(vm).vttbr());
            if round > 0 {
                assert_eq!(rig.register(1, "tpidr_el0"), round * 10 + vm as u64 - 10, "round {round}");
                assert_eq!(rig.register(1, "elr_el2"), 0x4000_0000 + (round - 1) * 8);
            }
            rig.at(1, || {
                portcullis_arch::fake::set("tpidr_el0", round * 10 + vm as u64);
                portcullis_arch::fake::set("elr_el2", 0x4000_0000 + round * 8);
            });
        }
    }
    let times = [1, 2].map(|vm| rig.at(1, || rig.vcpu(vm, 0).times()));
    assert!(times.iter().all(|times| times.switches >= 5 && times.ran >= 5 * SLICE && times.stolen > 0), "{times:?}");
}

#[test]
fn whoever_waits_gives_the_core_away_and_gets_it_back_with_an_interrupt() {
    let rig = rig();
    until_its(&rig, 1);
    let a = rig.vcpu(1, 0);
    // WFI: EC 1, TI 0.
    rig.guest(1, |_| portcullis_arch::fake::Trap::Exception(1 << 26 | 1 << 25));
    assert_eq!(rig.loaded(1), Some((2, 0)));
    assert_eq!(a.activity(), Activity::Waiting);
    rig.advance(SLICE);
    rig.interrupt(1, EL2_TIMER_INTID);
    assert_eq!(rig.loaded(1), Some((2, 0)), "nobody else can run");
    // Another core raises an SGI for it and kicks its core.
    rig.at(0, || raise_sgi(a, 3));
    rig.run(1);
    for _ in 0..4 {
        if rig.loaded(1) == Some((1, 0)) {
            break;
        }
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    assert_eq!(rig.loaded(1), Some((1, 0)));
    assert!(rig.at(1, || a.has_interrupt()));
}

#[test]
fn a_timer_of_a_vcpu_that_waits_wakes_it() {
    let rig = rig();
    until_its(&rig, 1);
    let a = rig.vcpu(1, 0);
    rig.at(1, || {
        wants(a, 27);
        a.enable_linked(1 << 27, true);
        // Its virtual timer fires 20 ms from now.
        let at = portcullis_arch::timer::count() - a.vm.counter_offset() + 20_000;
        portcullis_arch::fake::set("cntv_cval_el0", at);
        portcullis_arch::fake::set("cntv_ctl_el0", 1);
    });
    let enabled = crate::tests::board::Asked::Private { core: 1, intid: 27, enabled: true };
    assert!(rig.parts.controller.take().contains(&enabled));
    rig.guest(1, |_| portcullis_arch::fake::Trap::Exception(1 << 26 | 1 << 25));
    assert_eq!((rig.loaded(1), a.activity()), (Some((2, 0)), Activity::Waiting));
    assert_eq!(rig.register(1, "cntv_ctl_el0") & 1, 0, "its timer is not the other one's");
    // The core's own timer is set for it.
    let due = rig.register(1, "cnthp_cval_el2");
    let now = rig.at(1, portcullis_arch::timer::count);
    assert!(due > now && due <= now + 20_000, "{due} at {now}");
    rig.advance(20_001);
    rig.interrupt(1, EL2_TIMER_INTID);
    assert_eq!(rig.loaded(1), Some((1, 0)));
    assert_eq!(rig.register(1, "cntv_ctl_el0") & 1, 1);
}

#[test]
fn a_paused_vm_leaves_the_core_to_the_other_one() {
    let rig = rig();
    until_its(&rig, 1);
    let a = rig.vm(1);
    rig.at(0, || a.manager_lock().unwrap().pause()).unwrap();
    rig.settle();
    assert_eq!((a.phase(), rig.loaded(1)), (Phase::Paused, Some((2, 0))));
    for _ in 0..3 {
        rig.advance(SLICE);
        rig.interrupt(1, EL2_TIMER_INTID);
        assert_eq!(rig.loaded(1), Some((2, 0)));
    }
    let offset = a.counter_offset();
    rig.at(0, || a.manager_lock().unwrap().resume()).unwrap();
    rig.settle();
    until_its(&rig, 1);
    assert!(a.counter_offset() >= offset + 3 * SLICE);
    assert_eq!(rig.register(1, "cntvoff_el2"), a.counter_offset());
    until_its(&rig, 2);
}

#[test]
fn a_vm_that_ends_leaves_nothing_and_the_other_one_goes_on() {
    let rig = rig();
    until_its(&rig, 2);
    let a = rig.vm(1);
    // It has its turn only to be taken off.
    rig.at(0, || a.manager_lock().unwrap().stop()).unwrap();
    rig.settle();
    assert_eq!((a.phase(), rig.vcpu(1, 0).activity()), (Phase::Stopped, Activity::Off));
    until_its(&rig, 2);
    rig.at(0, || rig.vm(2).stop(Action::Off));
    rig.settle();
    assert_eq!((rig.vm(2).phase(), rig.loaded(1)), (Phase::Stopped, None));
    assert_eq!(rig.run(1), Outcome::Waits);
    assert_eq!(rig.interrupt(1, KICK), Outcome::Waits);
    // Made anew it is scrubbed in pieces, and can be started again.
    rig.at(0, || a.manager_lock().unwrap().recreate()).unwrap();
    rig.settle();
    for _ in 0..200 {
        if a.phase() == Phase::Created {
            break;
        }
        rig.interrupt(1, KICK);
    }
    assert_eq!(a.phase(), Phase::Created);
    assert!(rig.ram(1).iter().all(|&byte| byte == 0));
}

#[test]
fn debug_registers_come_with_their_first_use() {
    let rig = rig();
    until_its(&rig, 1);
    let off_core = rig.vcpu(1, 0).off_core().unwrap();
    assert!(rig.at(1, || off_core.give_debug()));
    assert!(!rig.at(1, || off_core.give_debug()), "it has them");
    until_its(&rig, 2);
    until_its(&rig, 1);
    assert!(rig.at(1, || off_core.give_debug()), "they were taken away with the core");
}

/// DISR_EL1.A, and the syndrome of an asynchronous SError: recoverable (AET 0b011), or corrected (0b110).
const RECOVERABLE: u64 = 1 << 31 | 0b011 << 10 | 0x11;
const CORRECTED: u64 = 1 << 31 | 0b110 << 10 | 0x11;

/// An error that comes of the last stores of the guest on core 1, as ESB tells of it.
fn fail_behind(rig: &Rig, disr: u64) {
    rig.at(1, || portcullis_arch::fake::set("s3_0_c12_c1_1", disr));
}

#[test]
fn an_error_at_a_switch_is_that_of_the_vcpu_that_leaves() {
    for (leaves, comes) in [(1, 2), (2, 1)] {
        let rig = rig();
        until_its(&rig, leaves);
        fail_behind(&rig, RECOVERABLE);
        until_its(&rig, comes);
        let failure = rig.vm(leaves).failure().expect("it is charged");
        assert_eq!((failure.reason, failure.vcpu), (Reason::SError, 0));
        assert_eq!(rig.vm(comes).failure(), None);
        assert_eq!((rig.vm(comes).phase(), rig.register(1, "s3_0_c12_c1_1")), (Phase::Running, 0));
        rig.settle();
        assert_eq!(rig.vm(leaves).phase(), Phase::Failed);
    }
}

#[test]
fn an_error_that_was_corrected_is_counted_at_a_switch_and_ends_nobody() {
    let rig = rig();
    until_its(&rig, 1);
    fail_behind(&rig, CORRECTED);
    until_its(&rig, 2);
    let counted = |vm: usize| exits(rig.vcpu(vm, 0), Exit::SystemError);
    assert_eq!((counted(1), counted(2)), (1, 0));
    assert!([1, 2].iter().all(|vm| rig.vm(*vm).phase() == Phase::Running));
}

#[test]
fn an_error_is_taken_before_the_core_waits_in_the_name_of_who_was_there() {
    let rig = rig();
    // The other one waits already, and the last one goes to sleep with an error on its way.
    until_its(&rig, 1);
    rig.guest(1, |_| portcullis_arch::fake::Trap::Exception(1 << 26 | 1 << 25));
    until_its(&rig, 2);
    fail_behind(&rig, RECOVERABLE);
    rig.guest(1, |_| portcullis_arch::fake::Trap::Exception(1 << 26 | 1 << 25));
    assert_eq!(rig.vm(2).failure().map(|failure| failure.reason), Some(Reason::SError));
    assert_eq!(rig.vm(1).failure(), None);
}

#[test]
fn an_error_of_a_vcpu_that_goes_off_is_not_the_next_ones() {
    let rig = rig();
    until_its(&rig, 1);
    fail_behind(&rig, RECOVERABLE);
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.run(1);
    until_its(&rig, 2);
    assert_eq!([1, 2].map(|vm| rig.vm(vm).failure()), [None, None], "the first one's end was decided before");
    assert_eq!((rig.vm(2).phase(), rig.register(1, "s3_0_c12_c1_1")), (Phase::Running, 0));
}
