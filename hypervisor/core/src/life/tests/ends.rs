//! The ends of VMs, and of the machine.

use portcullis_arch::fake::{self, Trap};
use portcullis_bundle::{Settings, VmConfig};

use crate::machine::end::End;
use crate::tests::board::{OFF, Parts, RESET};
use crate::tests::rig::{Rig, SETTINGS, vm};
use crate::vm::failure::Reason;
use crate::vm::state::{Action, Phase};

/// What a machine says that comes to its end on a core.
fn end(rig: &Rig, core: usize) -> String {
    // A panic leaves the core where it is: nothing is done with it after this.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| rig.run(core)));
    *ended.expect_err("the machine comes to its end").downcast::<String>().unwrap()
}

#[test]
fn with_the_last_vm_the_machine_goes_off() {
    // Before it has begun: its core counts it as gone, outside a trap.
    let rig = Rig::new(&[vm("a", &[0])]);
    rig.at(0, || rig.vm(0).stop(Action::Off));
    assert_eq!(end(&rig, 0), OFF);
}

#[test]
fn it_goes_off_when_the_last_character_is_out() {
    let rig = Rig::new(&[vm("a", &[0])]);
    rig.settle();
    rig.parts.line.is_busy_for(5);
    rig.at(0, || crate::serial::SERIAL.drain());
    assert!(rig.parts.line.has_been_idle());
    // A port that never is does not keep the machine on.
    rig.parts.line.is_busy_for(usize::MAX);
    rig.at(0, || {
        fake::tick(1000);
        crate::serial::SERIAL.drain();
    });
    assert!(!rig.parts.line.has_been_idle());
}

#[test]
fn a_machine_that_is_reset_stops_its_vms_first() {
    let rig = Rig::new(&[vm("a", &[0]), VmConfig { settings: Settings { machine: 3, ..SETTINGS }, ..vm("b", &[1]) }]);
    rig.at(1, || {
        rig.machine.shut_down(End::Reset, rig.vm(1));
        rig.vm(1).stop(Action::Off);
    });
    rig.run(1);
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    assert_eq!(end(&rig, 0), RESET);
    assert_eq!(rig.vm(0).phase(), Phase::Stopped);
}

#[test]
fn images_that_do_not_fit_fail_the_vm() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { kernel: &[0; 4 << 20], ..vm("a", &[1]) }]);
    rig.settle();
    let failure = rig.vm(1).failure().unwrap();
    assert_eq!((rig.vm(1).phase(), failure.reason), (Phase::Failed, Reason::Load));
}

#[test]
fn a_clock_that_is_asked_for_needs_the_time() {
    let mut parts = Parts::new();
    parts.board.wall_clock = None;
    let rig = Rig::on(
        parts,
        portcullis_vgic::GicVersion::V3,
        &[vm("ops", &[0]), VmConfig { settings: Settings { rtc: Some(true), ..SETTINGS }, ..vm("a", &[1]) }],
    );
    rig.settle();
    assert_eq!(rig.vm(1).failure().unwrap().reason, Reason::Load);
    // The time is set, and it starts.
    rig.at(0, || {
        rig.machine.clock.set(1_000_000_000, 0);
        rig.machine.tell_devices_of_time(rig.vcpu(0, 0));
        rig.vm(1).manager_lock().unwrap().restart().unwrap();
    });
    rig.settle();
    assert!(rig.is_in_guest(1));
    rig.guest(1, |_| Trap::Interrupt);
}

#[test]
fn what_starts_twice_is_cleaned_out_of_the_caches_first() {
    let rig = Rig::new(&[vm("ops", &[0]), VmConfig { initrd: Some(&[7; 8192]), ..vm("a", &[1]) }]);
    rig.settle();
    for _ in 0..2 {
        assert!(rig.is_in_guest(1));
        rig.at(0, || rig.vm(1).manager_lock().unwrap().restart()).unwrap();
        rig.settle();
    }
    assert!(rig.is_in_guest(1));
    assert!(rig.ram(1).windows(8192).any(|bytes| bytes == [7; 8192]), "the RAM disk is there");
    assert_eq!(rig.vm(1).life.restart_policy().total(), 2);
}
