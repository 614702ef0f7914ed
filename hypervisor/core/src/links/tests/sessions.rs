//! A program closes a port, and the next one opens it, while another core does a piece of work at it: no byte of one session is in
//! another one.

use portcullis_links::serial::{Counters, Side};
use portcullis_virtio::Shared;
use portcullis_virtio::mmio::registers::QUEUE_NOTIFY;

use super::disk::{IN, OK};
use super::ports::{OPEN, Ports, message};
use super::serial;
use super::served::{self, Manner};
use crate::devices::emulated::Emulated;
use crate::tests::meanwhile;
use crate::tests::rig::Rig;

/// The queue of what a driver says of its ports, and that of what the first port sends.
const HEAR: usize = 3;
const SENT: usize = 1;
/// Places of a piece of work at which something happens meanwhile.
const PLACES: usize = 2;

fn counters(rig: &Rig, side: Side) -> Counters {
    rig.machine.links.serials()[0].counters(side)
}

/// Has the program of a VM's first port close it, and the next one open it and send `next`, at a place of the piece of work that
/// comes. The VM has the core of its number.
fn changes_hands(rig: &Rig, ports: &mut Ports, vm: usize, place: usize, next: &[u8]) {
    for value in [0, 1] {
        ports.guest.give(rig, HEAR, &[&message(0, OPEN, value)]);
    }
    let ring = ports.guest.queues[SENT].layout.available + 2;
    let owner = rig.vm(vm);
    let index = || owner.memory_on(vm).unwrap().load(ring).unwrap();
    let mut sent = index();
    if !next.is_empty() {
        // It lies there, but is not in the ring yet.
        ports.queue(rig, 0, next);
        sent = index();
        ports.guest.run_ahead(rig, SENT, u16::MAX);
    }
    meanwhile::at(place, move || {
        owner.links.unwrap().write(owner, QUEUE_NOTIFY, 4, HEAR as u64);
        owner.memory_on(vm).unwrap().store(ring, &sent.to_le_bytes()).unwrap();
    });
}

#[test]
fn what_was_for_a_reader_that_is_gone_is_not_for_the_next_one() {
    for place in 0..PLACES {
        let (rig, [mut a, mut b]) = serial::open();
        b.room(&rig, 0, 4, 64);
        changes_hands(&rig, &mut b, 1, place, b"");
        a.send(&rig, 0, b"old");
        rig.settle();
        assert!(!meanwhile::is_left());
        assert_eq!((b.got(&rig, 0), a.back(&rig, 0)), (vec![], 1), "{place}");
        assert_eq!((counters(&rig, Side::A).sent, counters(&rig, Side::A).dropped), (0, 3));
        assert_eq!(a.hear(&rig), [message(0, OPEN, 0), message(0, OPEN, 1)], "{place}");
        a.send(&rig, 0, b"new");
        rig.settle();
        assert_eq!((b.got(&rig, 0), counters(&rig, Side::A).sent), (b"new".to_vec(), 3));
    }
}

#[test]
fn what_the_next_writer_sends_is_another_session() {
    for place in 0..PLACES {
        let (rig, [mut a, mut b]) = serial::open();
        b.room(&rig, 0, 4, 64);
        a.queue(&rig, 0, b"old");
        changes_hands(&rig, &mut a, 0, place, b"new");
        a.notify(&rig, 0);
        rig.settle();
        assert!(!meanwhile::is_left());
        // The end of the first one lies between them.
        assert_eq!(b.hear(&rig), [message(0, OPEN, 0), message(0, OPEN, 1)], "{place}");
        assert_eq!((b.got(&rig, 0), a.back(&rig, 0)), (b"oldnew".to_vec(), 2));
        assert_eq!((counters(&rig, Side::A).sent, counters(&rig, Side::A).dropped), (6, 0));
        a.say(&rig, 0, OPEN, 0);
        rig.settle();
        assert_eq!(b.hear(&rig), [message(0, OPEN, 0)]);
    }
}

#[test]
fn what_was_for_a_server_that_is_gone_goes_to_the_next_one() {
    for place in 0..PLACES {
        let (rig, mut serving, mut guest) = served::machine();
        serving.open(&rig);
        serving.settle(&rig);
        serving.ports.hear(&rig);
        serving.ports.room(&rig, 0, 4, 512);
        // The first words of the next one, which EL2 would take for nonsense of the one before.
        let mut next = served::Serving::server(Manner::good());
        next.greet();
        let words: Vec<u8> = next.out.drain(..).collect();
        changes_hands(&rig, &mut serving.ports, 1, place, &words);
        let places = served::ask(&rig, &mut guest, IN, 0, &[], 512);
        rig.settle();
        assert!(!meanwhile::is_left());
        let lines = rig.parts.line.take_shown();
        assert!(!lines.contains("its connection is cut"), "{place}: {lines}");
        assert_eq!(serving.ports.hear(&rig), [message(0, OPEN, 0), message(0, OPEN, 1)], "{place}");
        serving.server = next;
        serving.settle(&rig);
        assert_eq!(served::status(&rig, &mut guest, &places), Some(OK), "{place}");
    }
}
