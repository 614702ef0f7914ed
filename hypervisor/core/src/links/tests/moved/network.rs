//! A port of a network.

use core::mem::offset_of;

use portcullis_abi::manage::*;
use portcullis_abi::state::{LinkNeeds, Network, VirtioSetup, VirtioTransport, Virtqueue};
use portcullis_links::network::Dropped;
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::{comes_back, moved_away, refuses};
use crate::life::tests::mover::*;
use crate::links::tests::guest::{Guest, mac, network};
use crate::tests::rig::{Rig, vm};

/// STATUS, CTRL_VQ and GUEST_ANNOUNCE.
const FEATURES: u64 = 1 << 16 | 1 << 17 | 1 << 21;
const PORT: Section = Section { kind: Kind::Network, index: 3 };
const LINK: Section = Section { kind: Kind::Link, index: 3 };

/// A control VM, a movable one and another one at a network, the drivers of whose last two are up and have `room` buffers each.
fn machine(gic: GicVersion, features: u64, room: usize) -> (Rig, [Guest; 2]) {
    let configs = [vm("ops", &[0]), movable("a", &[1]), vm("b", &[2])];
    let rig = Rig::with_networks(gic, &configs, vec![network(3)]);
    rig.settle();
    let mut guests = [1, 2].map(|index| Guest::new(index, index, 3));
    for guest in &mut guests {
        guest.begin(&rig, features, &[64, 64, 16]);
        guest.take(&rig, 0, room, 1600);
    }
    (rig, guests)
}

fn status(rig: &Rig, guest: &Guest) -> u64 {
    guest.read(rig, CONFIG + 6) & 0xffff
}

/// Takes and acknowledges the causes of an interrupt.
fn causes(rig: &Rig, guest: &Guest) -> u64 {
    let causes = guest.read(rig, INTERRUPT_STATUS);
    guest.write(rig, INTERRUPT_ACK, causes);
    causes
}

#[test]
fn frames_go_on_after_a_restore_and_others_are_told_where_it_is() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let (rig, [mut a, mut b]) = machine(gic, FEATURES, 20);
        for round in 0..3 {
            a.send(&rig, mac(2), 60 + round);
            b.send(&rig, mac(1), 90 + round);
        }
        rig.settle();
        assert_eq!((a.used(&rig, 0).len(), a.used(&rig, 1).len(), b.used(&rig, 0).len()), (3, 3, 3));
        assert_eq!(causes(&rig, &a), 1);
        // One that it was interrupted for and has not looked at, and two that nobody has looked at.
        b.send(&rig, mac(1), 64);
        rig.settle();
        let frame = a.frame(mac(2), 100);
        a.give(&rig, 1, &[&frame, &frame]);
        let stream = moved_away(&rig);
        // A frame for who is away.
        b.send(&rig, mac(1), 77);
        rig.settle();
        assert_eq!(rig.machine.links.networks()[0].counters(2).unwrap().dropped(Dropped::Down), 0);
        comes_back(&rig, &stream);
        assert_eq!(b.used(&rig, 0).len(), 2, "it notices what was made available, without a notification");
        assert_eq!((a.used(&rig, 1).len(), a.used(&rig, 0).len()), (2, 1));
        assert!(a.is_pending(&rig), "its interrupt is still pending");
        assert_eq!((causes(&rig, &a), status(&rig, &a)), (3, 3), "its driver is to announce itself");
        let answer = a.take(&rig, 0, 1, 16)[0];
        a.command(&rig, 2, &[3, 0], answer);
        a.notify(&rig, 2);
        assert_eq!((a.bytes(&rig, answer, 1), status(&rig, &a)), (vec![0], 1));
        for round in 0..9 {
            a.send(&rig, mac(2), 60 + round);
            b.send(&rig, mac(1), 90 + round);
        }
        rig.settle();
        assert_eq!((a.used(&rig, 0).len(), a.used(&rig, 1).len(), b.used(&rig, 0).len()), (9, 9, 9));
    }
}

#[test]
fn a_driver_that_announces_nothing_is_not_asked_to() {
    let (rig, [mut a, b]) = machine(GicVersion::V3, 1 << 16, 4);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!((causes(&rig, &a), status(&rig, &a)), (0, 1));
    drop(b);
    a.begin(&rig, FEATURES, &[64, 64, 16]);
    assert_eq!((causes(&rig, &a), status(&rig, &a)), (0, 1), "nor is one that begins anew");
}

/// What a frame's receivers have of it is not known elsewhere: it goes to all of them.
#[test]
fn a_frame_that_some_have_is_sent_anew() {
    let (rig, [mut a, mut b]) = machine(GicVersion::V3, FEATURES, 60);
    let frame = a.frame([0xff; 6], 1514);
    a.give(&rig, 1, &[frame.as_slice(); 40]);
    // The first piece of it.
    rig.keep_events();
    rig.at(1, || ());
    let at = portcullis_abi::map::VIRTIO + 3 * 0x200 + QUEUE_NOTIFY;
    rig.at(1, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 1)));
    rig.run(1);
    let before = b.used(&rig, 0).len();
    assert!((1..40).contains(&before), "{before} frames in the first piece");
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    let all = before + b.used(&rig, 0).len();
    assert!((40..=41).contains(&all) && a.used(&rig, 1).len() == 40, "{all}");
}

#[test]
fn a_driver_that_has_not_begun_moves_as_it_is() {
    let (rig, [mut a, _b]) = machine(GicVersion::V3, FEATURES, 4);
    a.write(&rig, STATUS, 0);
    a.write(&rig, STATUS, 3);
    a.write(&rig, QUEUE_SEL, 1);
    a.write(&rig, QUEUE_NUM, 0x1_0000);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!((a.read(&rig, STATUS), a.read(&rig, QUEUE_NUM_MAX)), (3, 256));
    a.begin(&rig, FEATURES, &[64, 64, 16]);
    // One that needs a reset stays so, and has one.
    a.give(&rig, 1, &[&[0; 5]]);
    a.notify(&rig, 1);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!(a.read(&rig, STATUS), 0x4f);
    a.begin(&rig, FEATURES, &[64, 64, 16]);
}

#[test]
fn what_is_not_there_is_named() {
    let (rig, [_a, _b]) = machine(GicVersion::V3, FEATURES, 4);
    let stream = moved_away(&rig);
    let link = |change: fn(&mut LinkNeeds)| {
        changed(&stream, LINK, |body| {
            let mut link: LinkNeeds = zerocopy::FromBytes::read_from_bytes(body).unwrap();
            change(&mut link);
            zerocopy::IntoBytes::write_to(&link, body).unwrap();
        })
    };
    for (change, line) in [
        (
            (|link| link.name[0] = b'w') as fn(&mut LinkNeeds),
            "section LINK of virtio transport 3: the saved VM has network \"wan\" in virtio transport 3, this one network \"lan\": \
             they must be of the same kind and name",
        ),
        (|link| link.device = 2, "has disk \"lan\" in virtio transport 3, this one network \"lan\""),
        (|link| link.device = 77, "has a virtio device of kind 77"),
        (|link| link.address[5] = 9, "their addresses must be the same"),
        (|link| link.kind = 9000, "their MTUs must be the same"),
        (|link| link.version = 2, "its state is of version 2"),
    ] {
        refuses(&rig, &link(change), line);
    }
    assert_eq!(restore(&rig, &stream, LENGTH), 0, "it is as usable as before");
}

#[test]
fn a_state_that_no_driver_makes_is_refused() {
    let (rig, [mut a, _b]) = machine(GicVersion::V3, FEATURES, 4);
    a.send(&rig, mac(2), 60);
    let stream = moved_away(&rig);
    let setups = offset_of!(Network, setups) + size_of::<VirtioSetup>();
    let queues = offset_of!(Network, queues) + size_of::<Virtqueue>();
    let transport = offset_of!(Network, transport);
    type Case = (usize, u64, usize, &'static str);
    let cases: [Case; 14] = [
        (offset_of!(Network, version), 2, 4, "version 2"),
        (offset_of!(Network, status), 4, 4, "a network port's status"),
        (transport + offset_of!(VirtioTransport, device), 2, 4, "identifier"),
        (transport + offset_of!(VirtioTransport, status), 0x1ff, 4, "Status"),
        (transport + offset_of!(VirtioTransport, interrupt), 4, 4, "InterruptStatus"),
        (transport + offset_of!(VirtioTransport, driver_features), 1 << 32 | 1 << 50, 8, "features"),
        (setups + offset_of!(VirtioSetup, size), 48, 4, "a virtqueue's registers"),
        (setups + offset_of!(VirtioSetup, size), 512, 4, "a virtqueue's registers"),
        (setups + offset_of!(VirtioSetup, ready), 2, 4, "a virtqueue's registers"),
        (setups + offset_of!(VirtioSetup, available), 0x1000, 8, "RAM behind a virtqueue"),
        (setups + offset_of!(VirtioSetup, used), !3, 8, "RAM behind a virtqueue"),
        (queues + offset_of!(Virtqueue, next), 0x1_0000, 4, "a virtqueue's next chain"),
        (queues + offset_of!(Virtqueue, used), 7, 4, "chains a device has"),
        (queues + offset_of!(Virtqueue, taken), 1, 8, "the chains that a network's port has"),
    ];
    for (at, value, length, line) in cases {
        let bad = changed(&stream, PORT, |body| body[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]));
        refuses(&rig, &bad, "section NETWORK of virtio transport 3: ");
        refuses(&rig, &bad, line);
    }
    // A queue that is in use, and is not.
    let bad = changed(&stream, PORT, |body| body[setups + 4] = 0);
    refuses(&rig, &bad, "how far a virtqueue is that is not in use");
    // A driver can be ahead as the device's index is in memory; that is found when the device looks.
    let bad = changed(&stream, PORT, |body| {
        for field in [offset_of!(Virtqueue, next), offset_of!(Virtqueue, used), offset_of!(Virtqueue, published)] {
            body[queues + field..][..2].copy_from_slice(&500_u16.to_le_bytes());
        }
    });
    assert_eq!(restore(&rig, &bad, LENGTH), 0);
    ok(&rig, RESUME, [A, 0, 0]);
    runs(&rig);
    rig.settle();
    assert_eq!(a.read(&rig, STATUS), 0x4f, "it needs a reset");
    a.begin(&rig, FEATURES, &[64, 64, 16]);
    a.send(&rig, mac(2), 60);
    rig.settle();
    assert_eq!(a.used(&rig, 1).len(), 1);
}
