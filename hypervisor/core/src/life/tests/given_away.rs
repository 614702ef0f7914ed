//! A VM that was saved and given away, by the calls of the control VM.

use portcullis_abi::manage::*;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_vgic::GicVersion;

use super::mover::*;
use super::saving::{BOTH, rig};
use crate::vm::state::{Action, Phase};

#[test]
fn a_vm_that_was_given_away_goes_on_when_somebody_insists() {
    for gic in BOTH {
        let rig = rig(gic);
        pause(&rig);
        assert_eq!(status(&rig, GIVE_AWAY, [A, 0, 0]), BAD_STATE, "it was not saved");
        ok(&rig, SAVE, [A, 0, 0]);
        assert_eq!(status(&rig, GIVE_AWAY, [A, 0, 0]), BUSY);
        ok(&rig, TRANSFER_END, [0; 3]);
        assert_eq!(status(&rig, GIVE_AWAY, [A, 0, 0]), BAD_STATE, "not as a whole");
        assert_eq!(status(&rig, RESUME, [A, 2, 0]), BAD_ARGUMENT);
        let stream = save(&rig, LENGTH);
        for vm in [0, 2] {
            assert_eq!(status(&rig, GIVE_AWAY, [vm, 0, 0]), NOT_PERMITTED);
        }
        let count = rig.vcpu(1, 0).vm.life.counter().save(1).value;
        ok(&rig, GIVE_AWAY, [A, 0, 0]);
        assert_eq!(ok(&rig, VM_STATE, [A, 0, 0])[1] & 0xffff, PHASE_GIVEN_AWAY | PROGRESS_NONE << 8);
        for request in [START, PAUSE, RESUME, STOP, RESTART, RECREATE, SAVE, RESTORE, GIVE_AWAY] {
            assert_eq!(status(&rig, request, [A, 0, 0]), BAD_STATE, "{request:#x}");
        }
        rig.advance(10_000_000);
        for core in 0..3 {
            rig.interrupt(core, EL2_TIMER_INTID);
        }
        rig.settle();
        assert!(!rig.is_in_guest(1), "time lets it be");
        assert_eq!(rig.vcpu(1, 0).vm.life.counter().save(1).value, count);
        ok(&rig, RESUME, [A, RESUME_GIVEN_AWAY, 0]);
        runs(&rig);
        assert_eq!(rig.vm(1).phase(), Phase::Running);
        // Forgotten it is stopped, and can be made anew for what comes back.
        pause(&rig);
        save(&rig, LENGTH);
        assert_eq!(status(&rig, FORGET, [A, 0, 0]), BAD_STATE);
        ok(&rig, GIVE_AWAY, [A, 0, 0]);
        ok(&rig, FORGET, [A, 0, 0]);
        assert_eq!((rig.vm(1).phase(), rig.vm(1).live()), (Phase::Stopped, 0));
        created(&rig);
        assert_eq!(restore(&rig, &stream, LENGTH), 0);
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
    }
}

#[test]
fn what_was_given_away_ends_with_the_machine() {
    let rig = rig(GicVersion::V3);
    pause(&rig);
    save(&rig, LENGTH);
    ok(&rig, GIVE_AWAY, [A, 0, 0]);
    rig.at(0, || rig.vm(1).stop(Action::Reset));
    assert_eq!(rig.vm(1).phase(), Phase::GivenAway, "a guest that stands still resets nothing");
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
}
