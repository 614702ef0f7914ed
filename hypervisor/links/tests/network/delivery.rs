//! Frames from buffers of one VM to those of another.

use std::cell::Cell;

use portcullis_links::network::features::*;
use portcullis_links::network::{Dropped, Frame, Given, Stage, Traffic, deliver};
use portcullis_virtio::fake::{INSTRUCTIONS, Step, price};
use portcullis_virtio::{Budget, Fault, MAX_CHAIN};

use crate::bed::{DATA, MTU, Vm, frame, pass};

/// A driver that takes all, and one that takes nothing.
const MUCH: u64 = u64::MAX;
const PLAIN: u64 = 0;

fn checksummed(start: u16, offset: u16) -> [u8; 12] {
    let ([s0, s1], [o0, o1]) = (start.to_le_bytes(), offset.to_le_bytes());
    [1, 0, 0, 0, 0, 0, s0, s1, o0, o1, 0xaa, 0xbb]
}

/// What a receiver that does not finish checksums gets, worked out by itself.
fn finished(frame: &[u8], start: usize, offset: usize) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    let mut sum = 0_u32;
    for pair in bytes[start..].chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = match !(sum as u16) {
        0 => 0xffff,
        sum => sum,
    };
    bytes[start + offset..start + offset + 2].copy_from_slice(&sum.to_be_bytes());
    bytes
}

#[test]
fn a_short_frame_takes_one_copy_in_and_one_out() {
    let (mut a, mut b) = (Vm::new(), Vm::new());
    let sent = frame([0; 12], 64);
    a.send(&sent, &[]);
    let places = b.listen(&[&[1600]]);
    (a.ram.steps, b.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
    assert_eq!(pass(&mut a, MUCH, &mut b, MUCH), Ok(Ok(())));
    assert_eq!(b.driver.used(&b.ram), Some((0, 76)));
    let mut expected = sent.clone();
    expected[10] = 1;
    assert_eq!(b.bytes(&places[0], 76), expected);
    let data = |steps: Vec<Step>| {
        let data = |step: &&Step| matches!(step, Step::In(at, _) | Step::Out(at, _) if *at >= DATA);
        steps.iter().filter(data).count()
    };
    assert_eq!(data(a.ram.steps.take().unwrap()), 1);
    assert_eq!(data(b.ram.steps.take().unwrap()), 1, "the header with the frame");
}

#[test]
fn frames_of_any_length_in_any_buffers() {
    let seed = Cell::new(0x0bad_cafe_1234_5678_u64);
    let random = |below: u64| {
        let mut next = seed.get();
        next ^= next << 13;
        next ^= next >> 7;
        next ^= next << 17;
        seed.set(next);
        next % below
    };
    let (mut a, mut b) = (Vm::new(), Vm::new());
    for round in 0..if cfg!(miri) { 8 } else { 4000 } {
        let length = 14 + random(if random(3) == 0 { 1500 } else { 200 }) as usize;
        let summed = random(2) == 0 && length > 40;
        let (start, offset) = (14 + random(20), random(6));
        let header = if summed { checksummed(start as u16, offset as u16) } else { [0; 12] };
        let sent = frame(header, length);
        let lengths: Vec<u32> = (0..random(6)).map(|_| random(120) as u32).collect();
        a.send(&sent, &lengths);
        let merged = random(2) == 0;
        let chains: Vec<Vec<u32>> = if merged {
            (0..40).map(|_| (0..=random(2)).map(|_| 12 + random(200) as u32).collect()).collect()
        } else {
            vec![(0..=random(4)).map(|_| 1 + random(40) as u32).chain([1600]).collect()]
        };
        let chains: Vec<&[u32]> = chains.iter().map(Vec::as_slice).collect();
        let places = b.listen(&chains);
        let takes = if merged { MRG_RXBUF } else { 0 } | if random(2) == 0 { GUEST_CSUM } else { 0 };
        assert_eq!(pass(&mut a, MUCH, &mut b, takes), Ok(Ok(())), "round {round}");
        let used: Vec<(u16, u32)> = std::iter::from_fn(|| b.driver.used(&b.ram)).collect();
        let mut got = Vec::new();
        for ((_, written), place) in used.iter().zip(&places) {
            got.extend(b.bytes(place, *written as usize));
        }
        let mut expected = frame([0; 12], length)[12..].to_vec();
        let mut head = [0; 12];
        if summed && takes & GUEST_CSUM == 0 {
            expected = finished(&expected, start as usize, offset as usize);
        } else if summed {
            head = checksummed(start as u16, offset as u16);
        }
        head[10..].copy_from_slice(&(used.len() as u16).to_le_bytes());
        assert_eq!(got[..12], head, "round {round}");
        assert_eq!(got[12..], expected, "round {round}");
        // The rest of the buffers is there for the next frame: it is taken away here.
        while b.queue.take(&mut b.ram, &mut b.chain).unwrap() {
            b.queue.put(&mut b.ram, b.chain.head(), 0).unwrap();
        }
        b.queue.publish(&mut b.ram).unwrap();
        while b.driver.used(&b.ram).is_some() {}
        assert!(a.driver.used(&a.ram).is_some());
    }
}

#[test]
fn sixty_four_kilobytes_go_in_one_frame() {
    let (mut a, mut b) = (Vm::new(), Vm::new());
    let (length, buffers) = if cfg!(miri) { (4_000, 3) } else { (65_549, 43) };
    let sent = frame([1, 1, 54, 0, 168, 5, 34, 0, 16, 0, 0, 0], length);
    a.send(&sent, &[66, 32_768]);
    let places = b.listen(&vec![[1536_u32].as_slice(); buffers]);
    assert_eq!(pass(&mut a, MUCH, &mut b, MUCH), Ok(Ok(())));
    let used: Vec<(u16, u32)> = std::iter::from_fn(|| b.driver.used(&b.ram)).collect();
    assert_eq!(used.len(), buffers);
    let got: Vec<u8> = used.iter().zip(&places).flat_map(|(used, place)| b.bytes(place, used.1 as usize)).collect();
    assert_eq!((&got[..10], &got[10..12], &got[12..]), (&sent[..10], &[buffers as u8, 0][..], &sent[12..]));
}

#[test]
fn what_a_receiver_has_no_room_for_takes_no_buffer() {
    let (mut a, mut b) = (Vm::new(), Vm::new());
    let mut send = |b: &mut Vm, takes| {
        a.send(&frame([0; 12], 1000), &[]);
        pass(&mut a, MUCH, b, takes)
    };
    assert_eq!(send(&mut b, MUCH), Ok(Err(Dropped::Full)));
    b.listen(&[&[600]]);
    let before = b.queue.save();
    assert_eq!(send(&mut b, PLAIN), Ok(Err(Dropped::Small)));
    assert_eq!(send(&mut b, MUCH), Ok(Err(Dropped::Full)), "half of it would have room");
    assert_eq!((b.queue.save(), b.driver.used(&b.ram)), (before, None));
    b.listen(&[&[600]]);
    assert_eq!(send(&mut b, MUCH), Ok(Ok(())));
    // Buffers of a few bytes each: a frame is not spread over more than a piece of work takes.
    b.listen(&[[13_u32].as_slice(); 100]);
    assert_eq!(send(&mut b, MUCH), Ok(Err(Dropped::Full)));
    let one_byte: &[u32] = &[1; 12];
    let mut c = Vm::new();
    let places = c.listen(&[one_byte, &[1024]]);
    assert_eq!(send(&mut c, MUCH), Ok(Ok(())), "a header over twelve buffers");
    assert_eq!(c.bytes(&places[0], 12), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
}

#[test]
fn a_receiver_without_room_for_a_header_is_at_fault_itself() {
    let (mut a, mut b) = (Vm::new(), Vm::new());
    a.send(&frame([0; 12], 100), &[]);
    b.listen(&[&[11]]);
    let narrow = Fault::Narrow { what: "a frame's header", length: 11, least: 12 };
    assert_eq!(pass(&mut a, MUCH, &mut b, MUCH), Err(narrow));
    assert!(a.driver.used(&a.ram).is_some(), "the sender goes on");
}

#[test]
fn segments_are_not_for_everybody() {
    let (mut a, mut b) = (Vm::new(), Vm::new());
    let sent = frame([1, 1, 54, 0, 168, 5, 34, 0, 16, 0, 0, 0], 3000);
    b.listen(&[&[4000]]);
    a.send(&sent, &[]);
    assert_eq!(pass(&mut a, MUCH, &mut b, MUCH & !GUEST_TSO4), Ok(Err(Dropped::Unsegmented)));
    let mut port = Traffic::default();
    assert!(port.drop(Dropped::Unsegmented), "the first one is worth a line");
    assert!(!port.drop(Dropped::Unsegmented) && !port.drop(Dropped::Full));
    port.restart();
    assert!(port.drop(Dropped::Unsegmented), "one a start");
    assert_eq!((port.counters.dropped(Dropped::Unsegmented), port.counters.dropped(Dropped::Full)), (3, 1));
}

#[test]
fn a_sender_without_a_header_is_at_fault_and_a_short_frame_is_dropped() {
    for length in 1..12 {
        let mut a = Vm::new();
        a.send(&vec![0; length], &[]);
        assert!(a.queue.take(&mut a.ram, &mut a.chain).unwrap());
        let short = Fault::Short { what: "a frame's header", length: length as u32, least: 12 };
        assert_eq!(Frame::read(&mut a.ram, &a.chain, &mut Stage::new(), MUCH, MTU).map(|_| ()), Err(short));
    }
    for length in 0..14 {
        let (mut a, mut b) = (Vm::new(), Vm::new());
        a.send(&frame([0; 12], length), &[5, 1, 9]);
        b.listen(&[&[1600]]);
        assert_eq!(pass(&mut a, MUCH, &mut b, MUCH), Ok(Err(Dropped::Short)), "{length}");
    }
}

#[test]
fn what_was_judged_is_what_arrives() {
    // The sender changes the header and the addresses as soon as they were read.
    let (mut a, mut b) = (Vm::new(), Vm::new());
    let sent = frame([0; 12], 400);
    a.send(&sent, &[]);
    let places = b.listen(&[&[1600]]);
    assert!(a.queue.take(&mut a.ram, &mut a.chain).unwrap());
    let mut stage = Stage::new();
    let read = Frame::read(&mut a.ram, &a.chain, &mut stage, MUCH, MTU).unwrap().unwrap();
    a.ram.put(DATA, &[0xff; 12 + 14]);
    let budget = &mut Budget::new();
    let given = deliver(&read, &mut a.ram, &mut b.queue, &mut b.ram, &mut b.chain, MUCH, budget);
    assert_eq!(given, Ok(Given::Done));
    let mut expected = sent;
    expected[10] = 1;
    assert_eq!(b.bytes(&places[0], 412), expected);
}

/// What becomes of a frame of `length` bytes in `sent` buffers of its sender's, and what it costs at the most.
fn hostile(a: &mut Vm, b: &mut Vm, budget: &mut Budget) -> Given {
    (a.ram.steps, b.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
    assert!(a.queue.take(&mut a.ram, &mut a.chain).unwrap());
    budget.chain(&a.chain);
    let mut stage = Stage::new();
    let read = Frame::read(&mut a.ram, &a.chain, &mut stage, MUCH, MTU).unwrap().unwrap();
    let given = deliver(&read, &mut a.ram, &mut b.queue, &mut b.ram, &mut b.chain, MUCH, budget).unwrap();
    a.queue.put(&mut a.ram, a.chain.head(), 0).unwrap();
    let price = price(&mut a.ram.steps) + price(&mut b.ram.steps);
    assert!(price <= INSTRUCTIONS, "{price}");
    given
}

#[test]
fn hostile_chains_do_not_make_a_piece_of_work_long() {
    let long = [1, 1, 54, 0, 168, 5, 34, 0, 16, 0, 0, 0];
    let full = Given::Dropped(Dropped::Full);
    for (header, length, cut, chains, expected) in [
        // As many buffers as there may be on both sides, which fit.
        (long, 60_000, MAX_CHAIN, vec![vec![600; 100]], full),
        ([0; 12], 1400, MAX_CHAIN, vec![vec![11; MAX_CHAIN]], Given::Done),
        // Chains of a byte each, and of many buffers of a byte each.
        ([0; 12], 1400, 1, [vec![vec![12]], vec![vec![1]; 200]].concat(), full),
        ([0; 12], 1400, MAX_CHAIN, vec![vec![1; MAX_CHAIN]; 1], full),
        (long, 65_549, MAX_CHAIN, vec![vec![500]; 131], full),
        (long, 65_549, 19, vec![vec![1536]; 43], Given::Done),
    ]
    .into_iter()
    .skip(usize::from(cfg!(miri)))
    .step_by(if cfg!(miri) { 2 } else { 1 })
    {
        let (mut a, mut b) = (Vm::new(), Vm::new());
        let sent = frame(header, length);
        a.send(&sent, &vec![(sent.len() / cut) as u32; cut - 1]);
        let chains: Vec<&[u32]> = chains.iter().map(Vec::as_slice).collect();
        b.listen(&chains);
        let before = b.queue.save();
        let given = hostile(&mut a, &mut b, &mut Budget::new());
        assert_eq!(given, expected, "{length} bytes in {cut} for {} chains", chains.len());
        assert_eq!(given == Given::Done, b.queue.save() != before);
    }
}

#[test]
fn a_frame_that_comes_late_in_a_piece_of_work_is_not_lost() {
    let long = frame([1, 1, 54, 0, 168, 5, 34, 0, 16, 0, 0, 0], 65_549);
    let (mut a, mut b) = (Vm::new(), Vm::new());
    b.listen(&[[1536_u32].as_slice(); 60]);
    let mut budget = Budget::new();
    for _ in 0..12 {
        a.send(&frame([0; 12], 60), &[]);
        assert_eq!(hostile(&mut a, &mut b, &mut budget), Given::Done);
    }
    a.send(&long, &[]);
    let before = b.queue.save();
    assert_eq!(hostile(&mut a, &mut b, &mut budget), Given::Later);
    assert_eq!(b.queue.save(), before);
    a.send(&long, &[]);
    assert_eq!(hostile(&mut a, &mut b, &mut Budget::new()), Given::Done);
}

#[test]
fn every_reason_has_a_counter_and_a_name() {
    let mut port = Traffic::default();
    let mut names = Vec::new();
    for (number, reason) in (1..).zip(Dropped::ALL) {
        (0..number).for_each(|_| _ = port.drop(reason));
        assert!(!names.contains(&reason.name()));
        names.push(reason.name());
    }
    let counted: Vec<u64> = Dropped::ALL.iter().map(|reason| port.counters.dropped(*reason)).collect();
    assert_eq!(counted, (1..=Dropped::COUNT as u64).collect::<Vec<_>>());
    port.counters.send(60);
    port.counters.send(40);
    port.counters.receive(70);
    let counters = port.counters;
    let all = (counters.sent, counters.sent_bytes, counters.received, counters.received_bytes);
    assert_eq!(all, (2, 100, 1, 70));
}
