//! Bytes between VMs by their serial ports.

use portcullis_bundle::VmConfig;
use portcullis_links::serial::{Counters, Side};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::guest::until_its;
use super::ports::{OPEN, Ports, message};
use crate::links::serial::Serial;
use crate::tests::rig::{Rig, vm};

/// VM `name` on core `core`, with a console.
pub fn with_console(name: &'static str, core: u32) -> VmConfig<'static> {
    VmConfig { console: Some(0), ..vm(name, &[core]) }
}

/// Two VMs with a core each and a pair of ports, and the drivers of both.
fn machine() -> (Rig, [Ports; 2]) {
    let configs = [with_console("a", 0), with_console("b", 1)];
    let rig = Rig::with_serials(GicVersion::V3, &configs, vec![Serial::new("uplink", [0, 1])]);
    rig.settle();
    let mut ports = [0, 1].map(|vm| Ports::new(vm, vm));
    ports.iter_mut().for_each(|ports| ports.begin(&rig, 1));
    (rig, ports)
}

/// The same with both ends open.
pub fn open() -> (Rig, [Ports; 2]) {
    let (rig, mut ports) = machine();
    for end in &mut ports {
        end.say(&rig, 0, OPEN, 1);
    }
    rig.settle();
    for end in &mut ports {
        let told = end.hear(&rig);
        end.told.extend(told);
    }
    (rig, ports)
}

fn counters(rig: &Rig, side: Side) -> Counters {
    rig.machine.links.serials()[0].counters(side)
}

#[test]
fn a_port_is_there_with_its_name() {
    let (rig, [mut a, _]) = machine();
    assert_eq!([MAGIC, VERSION, DEVICE_ID].map(|at| a.guest.read(&rig, at)), [0x7472_6976, 2, 3]);
    assert_eq!(a.guest.read(&rig, CONFIG + 4), 1, "one port");
    let expected = [message(0, 1, 0), [&message(0, 7, 1)[..], b"uplink"].concat()];
    assert_eq!(a.told, expected);
    assert_eq!(a.hear(&rig), [[0; 0]; 0]);
}

#[test]
fn bytes_go_both_ways() {
    let (rig, mut ports) = open();
    for end in &ports {
        assert_eq!(end.told.last().unwrap(), &message(0, OPEN, 1), "the other end is open");
    }
    for round in 0..70_u8 {
        for (from, to) in [(0, 1), (1, 0)] {
            let text = [round, from as u8, b'x'].repeat(usize::from(round) + 1);
            ports[to].room(&rig, 0, 1, 256);
            ports[from].send(&rig, 0, &text);
            rig.settle();
            assert_eq!(ports[to].got(&rig, 0), text, "{round}");
            assert!(ports[to].guest.is_pending(&rig));
        }
    }
    assert_eq!(counters(&rig, Side::A).sent, counters(&rig, Side::B).sent);
}

#[test]
fn a_writer_waits_for_its_reader_and_a_reader_for_its_writer() {
    let (rig, [mut a, mut b]) = open();
    // More than there is room for: the rest stays with the sender.
    b.room(&rig, 0, 1, 10);
    a.send(&rig, 0, &[7; 25]);
    rig.settle();
    assert_eq!((b.got(&rig, 0).len(), a.back(&rig, 0)), (10, 0));
    b.room(&rig, 0, 1, 10);
    b.notify_room(&rig, 0);
    rig.settle();
    assert_eq!((b.got(&rig, 0).len(), a.back(&rig, 0)), (10, 0));
    b.room(&rig, 0, 2, 10);
    b.notify_room(&rig, 0);
    rig.settle();
    assert_eq!((b.got(&rig, 0).len(), a.back(&rig, 0)), (5, 1));
    // A reader with room that nobody fills is interrupted by the next byte.
    a.send(&rig, 0, &[8; 3]);
    rig.settle();
    assert_eq!(b.got(&rig, 0), [8; 3]);
}

/// More than a piece of work: the rest makes exits of its own.
#[test]
fn much_is_moved_in_pieces() {
    let (rig, [mut a, mut b]) = open();
    b.room(&rig, 0, 30, 4096);
    for number in 0..30_u8 {
        a.queue(&rig, 0, &[number; 4096]);
    }
    a.notify(&rig, 0);
    rig.settle();
    let got = b.got(&rig, 0);
    assert_eq!(got.len(), 30 * 4096);
    assert!(got.chunks(4096).zip(0_u8..).all(|(chunk, number)| chunk.iter().all(|byte| *byte == number)));
    assert_eq!((a.back(&rig, 0), counters(&rig, Side::A).sent), (30, 30 * 4096));
}

#[test]
fn nothing_reaches_a_port_that_nobody_has_opened() {
    let (rig, [mut a, mut b]) = machine();
    b.room(&rig, 0, 2, 64);
    a.say(&rig, 0, OPEN, 1);
    a.send(&rig, 0, b"early");
    rig.settle();
    assert_eq!((b.got(&rig, 0), a.back(&rig, 0)), (vec![], 0));
    assert_eq!(b.hear(&rig), [message(0, OPEN, 1)], "its driver knows that the other end is open");
    b.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!((b.got(&rig, 0), a.back(&rig, 0)), (b"early".to_vec(), 1));
    assert_eq!(a.hear(&rig), [message(0, OPEN, 1)]);
}

#[test]
fn a_close_comes_behind_the_last_byte_and_an_open_is_another_session() {
    let (rig, [mut a, mut b]) = open();
    a.send(&rig, 0, b"last words");
    a.say(&rig, 0, OPEN, 0);
    rig.settle();
    assert_eq!(b.hear(&rig), [[0; 0]; 0], "they are not there yet");
    a.say(&rig, 0, OPEN, 1);
    a.send(&rig, 0, b"hello again");
    b.room(&rig, 0, 1, 64);
    b.notify_room(&rig, 0);
    rig.settle();
    assert_eq!(b.got(&rig, 0), b"last words");
    assert_eq!(b.hear(&rig), [message(0, OPEN, 0), message(0, OPEN, 1)]);
    b.room(&rig, 0, 1, 64);
    b.notify_room(&rig, 0);
    rig.settle();
    assert_eq!((b.got(&rig, 0), b.hear(&rig)), (b"hello again".to_vec(), vec![]));
}

/// A message of the control queue is used up in the exit that brings it, whoever is at the pair and whatever it has to say.
#[test]
fn messages_are_used_up_at_once() {
    let (rig, [mut a, _]) = machine();
    let serial = rig.machine.links.serials()[0];
    let busy = serial.busy();
    for value in [1, 0, 1, 0] {
        a.say(&rig, 0, OPEN, value);
        assert_eq!(a.said_back(&rig), 1);
    }
    drop(busy);
}

#[test]
fn what_a_reader_has_not_taken_when_it_closes_is_dropped_and_counted() {
    let (rig, [mut a, mut b]) = open();
    a.send(&rig, 0, &[1; 100]);
    a.send(&rig, 0, &[2; 50]);
    rig.settle();
    b.say(&rig, 0, OPEN, 0);
    rig.settle();
    assert_eq!((a.back(&rig, 0), counters(&rig, Side::A).dropped), (2, 150));
    assert_eq!(a.hear(&rig), [message(0, OPEN, 0)]);
    // What comes from here on waits for the next reader.
    a.send(&rig, 0, b"next");
    b.room(&rig, 0, 1, 64);
    b.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!((b.got(&rig, 0), counters(&rig, Side::A).dropped), (b"next".to_vec(), 150));
}

#[test]
fn a_driver_at_fault_needs_a_reset_and_the_other_end_sees_a_close() {
    let (rig, [mut a, mut b]) = open();
    // A chain of nothing that the device could read.
    a.guest.take(&rig, 1, 1, 16);
    a.notify(&rig, 0);
    rig.settle();
    assert_eq!(a.guest.read(&rig, STATUS), 0x4f);
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("a: serial port uplink: transmit queue: "), "{lines}");
    assert_eq!(b.hear(&rig), [message(0, OPEN, 0)]);
    a.begin(&rig, 1);
    a.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!(b.hear(&rig), [message(0, OPEN, 1)]);
    b.room(&rig, 0, 1, 64);
    a.send(&rig, 0, b"back");
    rig.settle();
    assert_eq!(b.got(&rig, 0), b"back");
}

/// A VM whose console has several ports, to VMs on its own core and elsewhere, on both kinds of GIC.
#[test]
fn ports_to_several_vms_do_not_mix() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let configs = [with_console("a", 0), with_console("b", 0), with_console("c", 1)];
        let serials = vec![Serial::new("one", [0, 1]), Serial::new("two", [2, 0]), Serial::new("three", [1, 2])];
        let rig = Rig::with_serials(gic, &configs, serials);
        rig.settle();
        let mut ports: Vec<Ports> = (0..3).map(|vm| Ports::new(vm, vm / 2)).collect();
        for (number, end) in ports.iter_mut().enumerate() {
            until_its(&rig, number / 2, number);
            end.begin(&rig, 2);
            for port in [0, 1] {
                end.say(&rig, port, OPEN, 1);
                end.room(&rig, port as usize, 8, 64);
            }
            rig.settle();
        }
        // By VM and port: the VM and the port at the other end.
        let ends = [[(1, 0), (2, 0)], [(0, 0), (2, 1)], [(0, 1), (1, 1)]];
        let all = ends.iter().enumerate().flat_map(|(from, ends)| ends.iter().enumerate().map(move |end| (from, end)));
        for (from, (port, (to, at))) in all {
            let text = [b'a' + from as u8, b'0' + port as u8];
            until_its(&rig, from / 2, from);
            ports[from].send(&rig, port, &text);
            rig.settle();
            until_its(&rig, to / 2, *to);
            rig.settle();
            assert_eq!(ports[*to].got(&rig, *at), text, "{gic:?}: {from} {port}");
        }
        assert_eq!(ports[0].told.iter().filter(|told| told[4] == 7).count(), 2);
    }
}

/// A reader that looks now and then whether there is a writer, as a shell's loop does, finds it when there is one.
#[test]
fn a_reader_that_comes_again_and_again_finds_its_writer() {
    let (rig, [mut a, mut b]) = machine();
    b.room(&rig, 0, 8, 64);
    for _ in 0..3 {
        for value in [1, 0] {
            b.say(&rig, 0, OPEN, value);
            rig.settle();
        }
    }
    a.hear(&rig);
    a.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!(b.hear(&rig), [message(0, OPEN, 1)]);
    b.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!(a.hear(&rig), [message(0, OPEN, 1)]);
    a.send(&rig, 0, b"found");
    rig.settle();
    assert_eq!(b.got(&rig, 0), b"found");
}
