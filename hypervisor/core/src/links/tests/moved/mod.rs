//! VMs with links that are saved and restored, and whose drivers notice nothing but what they are told.

mod disk;
mod drive;
mod in_flight;
mod network;
mod serial;
mod served;
mod traffic;
mod wire;

use portcullis_abi::manage::{RESUME, UNFIT};

use crate::life::tests::mover::*;
use crate::tests::rig::Rig;
use crate::vm::state::{Action, Phase};

/// The stream of the VM, which is paused and made anew.
fn moved_away(rig: &Rig) -> Vec<u8> {
    pause(rig);
    let stream = save(rig, LENGTH);
    recreate(rig);
    stream
}

/// The VM comes back as it was.
fn comes_back(rig: &Rig, stream: &[u8]) {
    assert_eq!(restore(rig, stream, LENGTH), 0);
    assert!(save(rig, LENGTH) == stream, "what is saved then is what was restored");
    ok(rig, RESUME, [A, 0, 0]);
    runs(rig);
    rig.settle();
}

/// Refuses a stream with this line, and is as it was created.
fn refuses(rig: &Rig, stream: &[u8], line: &str) {
    // It has not said too much of late.
    rig.advance(60_000_000);
    let _ = rig.parts.line.take_shown();
    assert_eq!(restore(rig, stream, LENGTH), UNFIT, "{line}");
    let said = rig.parts.line.take_shown().replace("\r\nportcullis> ", "");
    assert!(said.contains(line), "{line}: {said}");
    assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Created, Action::None));
}
