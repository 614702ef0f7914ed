//! Serial ports: each end finds the other one closed, and open again.

use core::mem::offset_of;

use portcullis_abi::state::{Console, Port, PortNeeds, VirtioSetup, Virtqueue};
use portcullis_bundle::VmConfig;
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::{comes_back, moved_away, refuses};
use crate::life::tests::mover::*;
use crate::links::serial::Serial;
use crate::links::tests::ports::{OPEN, Ports, message};
use crate::links::tests::serial::with_console;
use crate::tests::rig::{Rig, vm};

/// A control VM, a movable one and another one with two cables, the drivers of whose last two have set up their ports.
fn machine(gic: GicVersion) -> (Rig, [Ports; 2]) {
    let moved = VmConfig { console: Some(0), ..movable("a", &[1]) };
    let cables = vec![Serial::new("uplink", [1, 2]), Serial::new("second", [2, 1])];
    let rig = Rig::with_serials(gic, &[vm("ops", &[0]), moved, with_console("b", 2)], cables);
    rig.settle();
    let mut ports = [1, 2].map(|vm| Ports::new(vm, vm));
    ports.iter_mut().for_each(|ports| ports.begin(&rig, 2));
    (rig, ports)
}

#[test]
fn ports_close_and_open_again_and_bytes_go_on() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let (rig, [mut a, mut b]) = machine(gic);
        for end in [&mut a, &mut b] {
            end.say(&rig, 0, OPEN, 1);
        }
        rig.settle();
        assert_eq!((a.hear(&rig), b.hear(&rig)), (vec![message(0, OPEN, 1)], vec![message(0, OPEN, 1)]));
        b.room(&rig, 0, 1, 64);
        a.room(&rig, 0, 4, 64);
        a.send(&rig, 0, b"first");
        rig.settle();
        assert_eq!(b.got(&rig, 0), b"first");
        assert_eq!(a.back(&rig, 0), 1);
        // For this there is no room yet.
        a.send(&rig, 0, b"second");
        rig.settle();
        let stream = moved_away(&rig);
        assert_eq!(b.hear(&rig), [message(0, OPEN, 0)]);
        b.send(&rig, 0, b"for nobody, or for whoever opens next");
        comes_back(&rig, &stream);
        assert_eq!(a.hear(&rig), [message(0, OPEN, 0), message(0, OPEN, 1)], "somebody else is there");
        assert_eq!(b.hear(&rig), [message(0, OPEN, 1)]);
        b.room(&rig, 0, 1, 64);
        b.notify_room(&rig, 0);
        rig.settle();
        assert_eq!((b.got(&rig, 0), a.back(&rig, 0)), (b"second".to_vec(), 1));
        assert_eq!(a.got(&rig, 0), b"for nobody, or for whoever opens next");
        // The other port opens as if nothing had been.
        b.room(&rig, 1, 1, 64);
        a.say(&rig, 1, OPEN, 1);
        b.say(&rig, 1, OPEN, 1);
        rig.settle();
        assert_eq!((a.hear(&rig), b.hear(&rig)), (vec![message(1, OPEN, 1)], vec![message(1, OPEN, 1)]));
        a.send(&rig, 1, b"third");
        rig.settle();
        assert_eq!(b.got(&rig, 1), b"third");
    }
}

#[test]
fn who_is_not_open_at_the_other_end_stays_so() {
    let (rig, [mut a, mut b]) = machine(GicVersion::V3);
    a.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!(b.hear(&rig), [message(0, OPEN, 1)]);
    let stream = moved_away(&rig);
    assert_eq!(b.hear(&rig), [message(0, OPEN, 0)]);
    comes_back(&rig, &stream);
    assert_eq!((a.hear(&rig), b.hear(&rig)), (vec![], vec![message(0, OPEN, 1)]));
    a.say(&rig, 0, OPEN, 0);
    rig.settle();
    assert_eq!(b.hear(&rig), [message(0, OPEN, 0)], "it can be closed as ever");
}

#[test]
fn a_driver_that_is_told_later_is_told_where_it_is_then() {
    let (rig, [mut a, _b]) = machine(GicVersion::V3);
    a.guest.write(&rig, STATUS, 0);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    a.begin(&rig, 2);
    assert_eq!(a.told.len(), 4, "two ports and their names");
}

#[test]
fn other_ports_and_states_are_refused() {
    let (rig, [mut a, _b]) = machine(GicVersion::V3);
    a.say(&rig, 0, OPEN, 1);
    let stream = moved_away(&rig);
    let (console, port) = (Section::of(Kind::Console), Section { kind: Kind::Port, index: 1 });
    let name = Section { kind: Kind::PortName, index: 1 };
    refuses(
        &rig,
        &changed(&stream, name, |body| body[offset_of!(PortNeeds, name)] = b'S'),
        "section PORT-NAME of port 1: the saved VM has serial port \"Second\" as port 1 of its console",
    );
    refuses(&rig, &changed(&stream, name, |body| body[0] = 9), "its state is of version 9");
    for (at, value, line) in [
        (offset_of!(Console, version), 2, "section CONSOLE of virtio transport 0: its state is of version 2"),
        (offset_of!(Console, flags), 2, "what a driver knows of ports"),
        (offset_of!(Console, setups) + offset_of!(VirtioSetup, size), 33, "a virtqueue's registers"),
        (offset_of!(Console, queues) + offset_of!(Virtqueue, taken), 1, "the messages that a console has"),
    ] {
        refuses(&rig, &changed(&stream, console, |body| body[at] = value), line);
    }
    for (at, value, line) in [
        (offset_of!(Port, version), 2, "section PORT of port 1: its state is of version 2"),
        (offset_of!(Port, flags), 0x20, "what a driver knows of a port"),
        (offset_of!(Port, flags), 0x02, "what a driver knows of a port"),
        (offset_of!(Port, flags), 0x09, "what a driver knows of a port"),
        (offset_of!(Port, setups) + offset_of!(VirtioSetup, size), 64, "a virtqueue's registers"),
        (offset_of!(Port, queues) + offset_of!(Virtqueue, taken), 1, "the chains that a port has"),
    ] {
        refuses(&rig, &changed(&stream, port, |body| body[at] = value), line);
    }
    assert_eq!(restore(&rig, &stream, LENGTH), 0);
}
