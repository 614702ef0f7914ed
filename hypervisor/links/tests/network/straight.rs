//! The short way of a frame: what it does is what the long way does, and what it does not it leaves untouched.

use portcullis_links::network::{Header, Straight};
use portcullis_virtio::Queue;
use portcullis_virtio::fake::{START, Step, buffers};

use crate::bed::{A, B, DATA, MTU, Vm, frame, pass};

/// A VM that sends these bytes out of one buffer, or more.
fn sender(bytes: &[u8], parts: usize) -> Vm {
    let mut a = Vm::new();
    let first = bytes.len() as u32 / parts as u32;
    let mut lengths = vec![first; parts];
    lengths[0] = bytes.len() as u32 - first * (parts as u32 - 1);
    let parts = buffers(DATA, &lengths);
    let mut rest = bytes;
    for (address, length) in &parts {
        let (now, later) = rest.split_at(*length as usize);
        a.ram.put(*address, now);
        rest = later;
    }
    a.driver.give(&mut a.ram, &parts, parts.len());
    a
}

/// A VM that takes into chains of these buffers.
fn receiver(chains: &[&[u32]]) -> Vm {
    let mut b = Vm::new();
    b.listen(chains);
    b
}

/// The next frame goes the short way, if there is one.
fn straight(a: &mut Vm, b: &mut Vm) -> bool {
    let Some(frame) = Straight::look(&mut a.queue, &mut a.ram, MTU) else { return false };
    if !frame.deliver(&mut a.ram, &mut b.queue, &mut b.ram) {
        return false;
    }
    frame.done(&mut a.queue, &mut a.ram).unwrap();
    a.queue.publish(&mut a.ram).unwrap();
    b.queue.publish(&mut b.ram).unwrap();
    true
}

/// What the device is to look at next does not count: it looks again.
fn is_same(one: &Queue, other: &Queue) -> bool {
    one.save() == other.save()
}

#[test]
fn the_short_way_does_what_the_long_way_does() {
    let header = [4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    for length in [14, 15, 23, 24, 60, 64, 115, 116, 117, 1400, 1514, 1518] {
        for room in [12 + length as u32, 1530, 1600, 4096].into_iter().filter(|room| *room >= 12 + length as u32) {
            let bytes = frame(header, length);
            let ends = || (sender(&bytes, 1), receiver(&[&[room]]));
            let ((mut a, mut b), (mut c, mut d)) = (ends(), ends());
            assert!(straight(&mut a, &mut b), "{length} bytes into {room}");
            assert_eq!(pass(&mut c, 0, &mut d, 0), Ok(Ok(())));
            assert!(a.ram.bytes == c.ram.bytes && b.ram.bytes == d.ram.bytes, "{length} bytes into {room}");
            assert!(is_same(&a.queue, &c.queue) && is_same(&b.queue, &d.queue));
            assert_eq!((a.driver.used(&a.ram), b.driver.used(&b.ram)), (Some((0, 0)), Some((0, 12 + length as u32))));
            assert!(!straight(&mut a, &mut b), "there is no other");
        }
    }
}

#[test]
fn what_is_no_plain_frame_of_one_buffer_is_left_where_it_is() {
    let plain = |length| frame([0; 12], length);
    let writable = {
        let mut a = Vm::new();
        a.driver.give(&mut a.ram, &[(DATA, 100)], 0);
        a
    };
    let outside = {
        let mut a = Vm::new();
        a.driver.give(&mut a.ram, &[(START + (1 << 20) - 50, 100)], 1);
        a
    };
    for (mut a, why) in [
        (Vm::new(), "nothing is there"),
        (sender(&frame([1, 0, 0, 0, 0, 0, 14, 0, 2, 0, 0, 0], 64), 1), "a checksum"),
        (sender(&frame([1, 1, 54, 0, 100, 0, 14, 0, 2, 0, 0, 0], 64), 1), "segments"),
        (sender(&plain(64), 2), "two buffers"),
        (sender(&plain(13), 1), "no Ethernet header"),
        (sender(&plain(0), 1), "nothing behind the header"),
        (sender(&plain(1519), 1), "longer than the MTU"),
        (writable, "a buffer to write to"),
        (outside, "a buffer that ends outside"),
    ] {
        let mut b = receiver(&[&[2000]]);
        let (before, ram) = ((a.queue.save(), b.queue.save()), (a.ram.bytes.clone(), b.ram.bytes.clone()));
        assert!(!straight(&mut a, &mut b), "{why}");
        assert_eq!((a.queue.save(), b.queue.save()), before, "{why}");
        assert!((a.ram.bytes, b.ram.bytes) == ram, "{why}");
    }
}

#[test]
fn a_receiver_without_such_a_buffer_is_left_as_it_is() {
    let readable = {
        let mut b = Vm::new();
        b.driver.give(&mut b.ram, &[(DATA, 2000)], 1);
        b
    };
    let outside = {
        let mut b = Vm::new();
        b.driver.give(&mut b.ram, &[(START + (1 << 20) - 50, 100)], 0);
        b
    };
    let ahead = {
        let mut b = receiver(&[&[2000]]);
        b.ram.put(b.driver.layout.available + 2, &300_u16.to_le_bytes());
        b
    };
    for (mut b, why) in [
        (Vm::new(), "no buffer"),
        (receiver(&[&[75]]), "a byte short"),
        (receiver(&[&[12, 1500]]), "two buffers"),
        (readable, "a buffer to read"),
        (outside, "a buffer that ends outside"),
        (ahead, "an index that runs ahead"),
    ] {
        let mut a = sender(&frame([0; 12], 64), 1);
        let before = (a.queue.save(), b.queue.save());
        assert!(!straight(&mut a, &mut b), "{why}");
        assert_eq!((a.queue.save(), b.queue.save()), before, "{why}");
    }
}

#[test]
fn what_was_judged_is_what_arrives_the_short_way() {
    let bytes = frame([0; 12], 400);
    let (mut a, mut b) = (sender(&bytes, 1), receiver(&[&[1600]]));
    let judged = Straight::look(&mut a.queue, &mut a.ram, MTU).unwrap();
    let bits = |mac: [u8; 6]| mac.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    assert_eq!((judged.addresses(), judged.length()), ((bits(B), bits(A)), 400));
    // The sender changes the header and the addresses as soon as they were read.
    a.ram.put(DATA, &[0xff; 12 + 12]);
    b.ram.steps = Some(Vec::new());
    assert!(judged.deliver(&mut a.ram, &mut b.queue, &mut b.ram));
    let mut expected = bytes;
    expected[..12].copy_from_slice(&Header::PLAIN);
    assert_eq!(b.ram.at(DATA, 412), expected);
    assert!(b.ram.steps.take().unwrap().iter().all(|step| !matches!(step, Step::Store(_))), "it is not shown yet");
}
