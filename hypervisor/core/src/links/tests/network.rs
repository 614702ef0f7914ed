//! Frames between VMs.

use portcullis_links::network::Dropped;
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::guest::{Guest, mac, network, until_its};
use crate::tests::rig::{Rig, vm};

const ALL: [u8; 6] = [0xff; 6];
/// STATUS and CTRL_VQ.
const FEATURES: u64 = 1 << 16 | 1 << 17;

/// Two or more VMs with a core each, at one network, whose drivers are up and have `room` buffers each.
pub fn machine(vms: usize, room: usize) -> (Rig, Vec<Guest>) {
    let names = ["a", "b", "c", "d"];
    let configs: Vec<_> = (0..vms).map(|index| vm(names[index], &[index as u32])).collect();
    let rig = Rig::with_networks(GicVersion::V3, &configs, vec![network(vms)]);
    rig.settle();
    let mut guests: Vec<Guest> = (0..vms).map(|index| Guest::new(index, index, 3)).collect();
    for guest in &mut guests {
        guest.begin(&rig, FEATURES, &[64, 64, 16]);
        guest.take(&rig, 0, room, 1600);
    }
    (rig, guests)
}

fn counters(rig: &Rig, port: usize) -> portcullis_links::network::Counters {
    rig.machine.links.networks()[0].counters(port).unwrap()
}

#[test]
fn a_device_is_there_and_its_link_is_up() {
    let (rig, guests) = machine(2, 0);
    for (number, guest) in guests.iter().enumerate() {
        assert_eq!([MAGIC, VERSION, DEVICE_ID].map(|at| guest.read(&rig, at)), [0x7472_6976, 2, 1]);
        assert_eq!(guest.read(&rig, CONFIG), u64::from(u32::from_le_bytes(*mac(number).first_chunk().unwrap())));
        assert_eq!(guest.read(&rig, CONFIG + 6) & 0xffff, 1, "the link is up");
    }
    let other = Guest::new(0, 0, 4);
    assert_eq!([MAGIC, VERSION, DEVICE_ID].map(|at| other.read(&rig, at)), [0x7472_6976, 2, 0], "no device");
}

#[test]
fn a_frame_goes_from_one_vm_to_the_other_and_back() {
    let (rig, mut guests) = machine(2, 8);
    for round in 0..5 {
        for (from, to) in [(0, 1), (1, 0)] {
            let sent = guests[from].send(&rig, mac(to), 60 + round);
            rig.settle();
            assert_eq!(guests[from].used(&rig, 1).len(), 1, "it is given back");
            let used = guests[to].used(&rig, 0);
            assert_eq!(used.iter().map(|(_, written)| *written).collect::<Vec<_>>(), [sent.len() as u32]);
            assert!(guests[to].is_pending(&rig));
            let status = guests[to].read(&rig, INTERRUPT_STATUS);
            assert_eq!(status, 1);
            guests[to].write(&rig, INTERRUPT_ACK, status);
            assert_eq!(guests[to].read(&rig, INTERRUPT_STATUS), 0);
        }
    }
    assert_eq!((counters(&rig, 0).sent, counters(&rig, 0).received), (5, 5));
}

#[test]
fn what_arrives_is_what_was_sent() {
    let (rig, mut guests) = machine(2, 0);
    let places = guests[1].take(&rig, 0, 2, 1600);
    let mut sent = guests[0].send(&rig, mac(1), 1514);
    let got = guests[1].bytes(&rig, places[0], sent.len());
    // Number of buffers.
    sent[10] = 1;
    assert_eq!(got, sent);
    guests[0].send(&rig, mac(1), 1519);
    guests[0].send(&rig, mac(7), 60);
    assert_eq!((counters(&rig, 0).dropped(Dropped::Long), counters(&rig, 0).dropped(Dropped::Destination)), (1, 1));
    assert_eq!(guests[1].used(&rig, 0).len(), 1);
}

#[test]
fn a_broadcast_reaches_all_others() {
    let (rig, mut guests) = machine(4, 4);
    guests[2].send(&rig, ALL, 1000);
    rig.settle();
    for (number, guest) in guests.iter_mut().enumerate() {
        assert_eq!(guest.used(&rig, 0).len(), usize::from(number != 2), "{number}");
    }
    assert_eq!((counters(&rig, 2).sent, counters(&rig, 3).received), (1, 1));
}

/// More than a piece of work: the rest makes exits of its own, by an interrupt that the core sends itself.
#[test]
fn a_burst_is_done_in_pieces() {
    let (rig, mut guests) = machine(2, 60);
    let frame = guests[0].frame(mac(1), 1514);
    guests[0].give(&rig, 1, &[frame.as_slice(); 60]);
    rig.keep_events();
    rig.at(0, || ());
    let at = portcullis_abi::map::VIRTIO + 3 * 0x200 + QUEUE_NOTIFY;
    rig.at(0, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 1)));
    rig.run(0);
    let first = counters(&rig, 1).received;
    assert!((1..60).contains(&first), "{first} frames in the first piece");
    rig.settle();
    assert_eq!(counters(&rig, 1).received, 60);
    assert_eq!((guests[0].used(&rig, 1).len(), guests[1].used(&rig, 0).len()), (60, 60));
}

#[test]
fn a_network_that_is_full_drops() {
    let (rig, mut guests) = machine(2, 3);
    for _ in 0..5 {
        guests[0].send(&rig, mac(1), 100);
    }
    assert_eq!((counters(&rig, 1).received, counters(&rig, 1).dropped(Dropped::Full)), (3, 2));
    assert_eq!(guests[0].used(&rig, 1).len(), 5, "the sender has its buffers back");
}

#[test]
fn a_broken_driver_needs_a_reset_and_nobody_else_notices() {
    let (rig, mut guests) = machine(3, 8);
    // A frame without a header.
    guests[0].give(&rig, 1, &[&[0; 5]]);
    guests[0].notify(&rig, 1);
    assert_eq!(guests[0].read(&rig, STATUS), 0x4f);
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("a: network lan: transmit queue: a chain has 5 bytes"), "{lines}");
    guests[0].notify(&rig, 1);
    guests[1].send(&rig, ALL, 60);
    rig.settle();
    assert_eq!((counters(&rig, 0).dropped(Dropped::Down), counters(&rig, 2).received), (0, 1));
    guests[0].begin(&rig, FEATURES, &[64, 64, 16]);
    guests[0].take(&rig, 0, 4, 1600);
    guests[1].send(&rig, mac(0), 60);
    guests[0].send(&rig, mac(1), 60);
    rig.settle();
    assert_eq!((guests[0].used(&rig, 0).len(), guests[1].used(&rig, 0).len()), (1, 1));
}

#[test]
fn commands_are_answered_at_once() {
    let (rig, mut guests) = machine(2, 0);
    let answers = {
        let at = guests[0].take(&rig, 0, 1, 16)[0];
        // VIRTIO_NET_CTRL_ANNOUNCE_ACK, and something that is not offered.
        guests[0].command(&rig, 2, &[3, 0], at);
        guests[0].command(&rig, 2, &[1, 1, 0], at + 1);
        guests[0].notify(&rig, 2);
        guests[0].bytes(&rig, at, 2)
    };
    assert_eq!(answers, [0, 1]);
    assert_eq!(guests[0].used(&rig, 2).len(), 2);
}

#[test]
fn a_core_that_vms_share_moves_frames_too() {
    let configs = [vm("a", &[0]), vm("b", &[0]), vm("c", &[1])];
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = Rig::with_networks(gic, &configs, vec![network(3)]);
        rig.settle();
        let mut guests: Vec<Guest> = (0..3).map(|index| Guest::new(index, index / 2, 3)).collect();
        for (number, guest) in guests.iter_mut().enumerate() {
            until_its(&rig, number / 2, number);
            guest.begin(&rig, FEATURES, &[64, 64, 16]);
            guest.take(&rig, 0, 60, 1600);
        }
        let frame = guests[2].frame(ALL, 1514);
        guests[2].give(&rig, 1, &[frame.as_slice(); 40]);
        guests[2].notify(&rig, 1);
        rig.settle();
        assert_eq!((counters(&rig, 0).received, counters(&rig, 1).received), (40, 40), "{gic:?}");
        // One of those that share the core, as it has it.
        let (index, _) = rig.loaded(0).unwrap();
        let frame = guests[index].frame(ALL, 1514);
        guests[index].give(&rig, 1, &[frame.as_slice(); 40]);
        guests[index].notify(&rig, 1);
        rig.settle();
        assert_eq!((counters(&rig, 2).received, counters(&rig, index).sent), (40, 40), "{gic:?}");
    }
}
