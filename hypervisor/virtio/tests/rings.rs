//! Queues against a driver that keeps to the specification.

use std::sync::atomic::Ordering;

use portcullis_virtio::fake::{Driver, Ram, START, Step, buffers};
use portcullis_virtio::{Budget, Chain, Fault, Features, Layout, MAX_CHAIN, Queue};

const DATA: u64 = START + 0x1_0000;
const PLAIN: Features = Features { indirect: false, event_index: false };
const ALL: Features = Features { indirect: true, event_index: true };

fn set_up(size: u16, features: Features) -> (Ram, Driver, Queue) {
    let (ram, driver) = (Ram::new(1 << 20), Driver::new(START, size));
    let queue = Queue::new(driver.layout, features, &ram).unwrap();
    (ram, driver, queue)
}

#[test]
fn a_chain_goes_there_and_back() {
    for features in [PLAIN, ALL] {
        let (mut ram, mut driver, mut queue) = set_up(8, features);
        let mut chain = Chain::new();
        assert!(!queue.take(&mut ram, &mut chain).unwrap());
        let parts = buffers(DATA, &[3, 10, 4, 100]);
        let head = driver.give(&mut ram, &parts, 2);
        ram.put(parts[0].0, b"abc");
        ram.put(parts[1].0, b"0123456789");
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        assert_eq!((chain.head(), chain.descriptors()), (head, 4));
        assert_eq!((chain.readable(), chain.writable()), (13, 104));
        let mut text = [0; 20];
        assert_eq!(chain.reader().read(&mut ram, &mut text).unwrap(), 13);
        assert_eq!(&text[..13], b"abc0123456789");
        let mut writer = chain.writer();
        assert_eq!(writer.write(&mut ram, b"answer").unwrap(), 6);
        assert_eq!(writer.left(), 98);
        assert_eq!((ram.at(parts[2].0, 4), ram.at(parts[3].0, 2)), (&b"answ"[..], &b"er"[..]));
        queue.put(&mut ram, head, 6).unwrap();
        assert_eq!(driver.used(&ram), None, "it is not shown yet");
        assert!(queue.publish(&mut ram).unwrap());
        assert_eq!((driver.used(&ram), driver.used(&ram)), (Some((head, 6)), None));
        assert!(!queue.take(&mut ram, &mut chain).unwrap());
    }
}

#[test]
fn each_descriptor_of_a_long_indirect_chain_is_copied_once() {
    let (mut ram, mut driver, mut queue) = set_up(4, ALL);
    let parts = buffers(DATA, &[64; MAX_CHAIN]);
    driver.give_indirect(&mut ram, START + 0x8000, &parts, 3);
    ram.steps = Some(Vec::new());
    let mut chain = Chain::new();
    assert!(queue.take(&mut ram, &mut chain).unwrap());
    assert_eq!((chain.descriptors(), chain.readable()), (MAX_CHAIN, 3 * 64));
    let steps = ram.steps.take().unwrap();
    let mut copies: Vec<u64> =
        steps.iter().filter_map(|step| if let Step::In(from, 16) = step { Some(*from) } else { None }).collect();
    assert_eq!(copies.len(), 1 + MAX_CHAIN);
    copies.sort_unstable();
    copies.dedup();
    assert_eq!(copies.len(), 1 + MAX_CHAIN, "none twice");
}

#[test]
fn direct_descriptors_may_come_before_an_indirect_one() {
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    let table = START + 0x8000;
    driver.set(&mut ram, 3, (DATA, 8), 1, 5);
    // WRITE says nothing of a table.
    driver.set(&mut ram, 5, (table, 32), 4 | 2, 0);
    Driver::describe(&mut ram, table, 0, (DATA + 8, 8), 1, 1);
    Driver::describe(&mut ram, table, 1, (DATA + 16, 9), 2, 0);
    driver.offer(&mut ram, 3);
    let mut chain = Chain::new();
    assert!(queue.take(&mut ram, &mut chain).unwrap());
    assert_eq!((chain.descriptors(), chain.readable(), chain.writable()), (3, 16, 9));
}

#[test]
fn indices_go_round() {
    for features in [PLAIN, ALL] {
        let (mut ram, mut driver, mut queue) = set_up(4, features);
        let mut chain = Chain::new();
        let rounds: u32 = if cfg!(miri) { 40 } else { 200_000 };
        for round in 0..rounds {
            let head = driver.give(&mut ram, &[(DATA, 16)], 0);
            assert!(queue.take(&mut ram, &mut chain).unwrap(), "{round}");
            queue.put(&mut ram, chain.head(), round).unwrap();
            queue.publish(&mut ram).unwrap();
            assert_eq!(driver.used(&ram), Some((head, round)));
        }
    }
}

#[test]
fn chains_come_back_in_any_order() {
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    let heads: Vec<u16> = (0..8).map(|i| driver.give(&mut ram, &[(DATA + 64 * i, 64)], 0)).collect();
    let mut chain = Chain::new();
    while queue.take(&mut ram, &mut chain).unwrap() {}
    assert_eq!(queue.taken().collect::<Vec<_>>(), heads);
    queue.again(&mut ram, heads[5], &mut chain).unwrap();
    assert_eq!((chain.head(), chain.writable()), (heads[5], 64));
    for head in heads.iter().rev() {
        queue.put(&mut ram, *head, 1).unwrap();
    }
    queue.publish(&mut ram).unwrap();
    let back: Vec<u16> = std::iter::from_fn(|| driver.used(&ram)).map(|(head, _)| head).collect();
    assert_eq!(back, heads.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(queue.taken().count(), 0);
}

#[test]
fn the_driver_is_interrupted_where_it_wants_to_be() {
    let (mut ram, mut driver, mut queue) = set_up(8, PLAIN);
    let mut chain = Chain::new();
    let mut one = |ram: &mut Ram, driver: &mut Driver| {
        driver.give(ram, &[(DATA, 8)], 0);
        assert!(queue.take(ram, &mut chain).unwrap());
        queue.put(ram, chain.head(), 0).unwrap();
        queue.publish(ram).unwrap()
    };
    assert!(one(&mut ram, &mut driver));
    driver.set_interrupts(&mut ram, false);
    assert!(!one(&mut ram, &mut driver));
    driver.set_interrupts(&mut ram, true);
    assert!(one(&mut ram, &mut driver));

    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    driver.set_used_event(&mut ram, 2);
    let told: Vec<bool> = (0..6)
        .map(|_| {
            driver.give(&mut ram, &[(DATA, 8)], 0);
            assert!(queue.take(&mut ram, &mut chain).unwrap());
            queue.put(&mut ram, chain.head(), 0).unwrap();
            queue.publish(&mut ram).unwrap()
        })
        .collect();
    assert_eq!(told, [false, false, true, false, false, false]);
    assert!(!queue.publish(&mut ram).unwrap(), "nothing new, nothing to tell");
}

#[test]
fn the_device_is_notified_where_it_wants_to_be() {
    let (mut ram, mut driver, mut queue) = set_up(8, PLAIN);
    queue.silence(&mut ram).unwrap();
    assert_eq!(ram.half(driver.layout.used), 1, "VIRTQ_USED_F_NO_NOTIFY");
    assert!(!queue.listen(&mut ram).unwrap());
    assert_eq!(ram.half(driver.layout.used), 0);
    queue.silence(&mut ram).unwrap();
    driver.give(&mut ram, &[(DATA, 8)], 0);
    assert!(queue.listen(&mut ram).unwrap(), "it came while nobody was told");

    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    let mut chain = Chain::new();
    for taken in 1..20 {
        driver.give(&mut ram, &[(DATA, 8)], 0);
        queue.silence(&mut ram).unwrap();
        assert_eq!(driver.available_event(&ram), taken - 1, "the event stays behind");
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        queue.put(&mut ram, chain.head(), 0).unwrap();
        assert!(!queue.listen(&mut ram).unwrap());
        assert_eq!(driver.available_event(&ram), taken);
    }
}

#[test]
fn accesses_are_in_the_order_that_the_driver_needs() {
    for features in [PLAIN, ALL] {
        let (mut ram, mut driver, mut queue) = set_up(8, features);
        driver.give(&mut ram, &[(DATA, 8)], 0);
        let Layout { descriptors, available, used, .. } = driver.layout;
        ram.steps = Some(Vec::new());
        let mut chain = Chain::new();
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        chain.writer().write(&mut ram, b"12345678").unwrap();
        queue.put(&mut ram, chain.head(), 8).unwrap();
        queue.publish(&mut ram).unwrap();
        queue.silence(&mut ram).unwrap();
        queue.listen(&mut ram).unwrap();
        let mut expected = vec![
            Step::Load(available + 2),
            Step::Order(Ordering::Acquire),
            Step::Load(available + 4),
            Step::In(descriptors, 16),
            Step::Out(DATA, 8),
            Step::Out(used + 4, 8),
            Step::Order(Ordering::Release),
            Step::Store(used + 2),
            Step::Order(Ordering::SeqCst),
        ];
        expected.extend(if features.event_index {
            vec![Step::Load(available + 4 + 16), Step::Store(used + 4 + 64)]
        } else {
            vec![Step::Load(available), Step::Store(used), Step::Store(used)]
        });
        expected.extend([Step::Order(Ordering::SeqCst), Step::Load(available + 2), Step::Order(Ordering::Acquire)]);
        assert_eq!(ram.steps.take().unwrap(), expected);
    }
}

#[test]
fn what_was_taken_can_be_left_there() {
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    for _ in 0..5 {
        driver.give(&mut ram, &[(DATA, 8)], 0);
    }
    let mut chain = Chain::new();
    assert!(queue.take(&mut ram, &mut chain).unwrap());
    let (before, mark) = (queue.clone(), queue.mark());
    for _ in 0..3 {
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        queue.put(&mut ram, chain.head(), 8).unwrap();
    }
    assert_eq!((queue.position(), queue.end(&mut ram)), (4, Ok(5)));
    queue.rewind(mark);
    assert_eq!(queue, before);
    assert!(!queue.publish(&mut ram).unwrap());
    assert_eq!(queue.available(&mut ram).unwrap(), 4);
}

#[test]
fn a_copy_between_guests_is_made_once_and_by_the_largest_pieces() {
    let (mut a, mut driver_a, mut queue_a) = set_up(64, ALL);
    let (mut b, mut driver_b, mut queue_b) = set_up(64, ALL);
    let mut seed = 0x1234_5678_9abc_def1_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below) as u32
    };
    let (mut from, mut to) = (Chain::new(), Chain::new());
    for _ in 0..if cfg!(miri) { 3 } else { 500 } {
        let mut lengths = |n: u64| (0..=random(n)).map(|_| 1 + random(200)).collect::<Vec<u32>>();
        let (source, target) = (buffers(DATA, &lengths(20)), buffers(DATA, &lengths(20)));
        driver_a.give(&mut a, &source, source.len());
        driver_b.give(&mut b, &target, 0);
        let text: Vec<u8> = (0..source.iter().map(|part| part.1).sum()).map(|_| random(256) as u8).collect();
        let mut rest = text.as_slice();
        for (address, length) in &source {
            let (now, later) = rest.split_at(*length as usize);
            a.put(*address, now);
            rest = later;
        }
        assert!(queue_a.take(&mut a, &mut from).unwrap() && queue_b.take(&mut b, &mut to).unwrap());
        a.steps = Some(Vec::new());
        let (mut reader, mut writer) = (from.reader(), to.writer());
        let (first, most) = (random(40), 1 + random(4000));
        reader.skip(first);
        let copied = reader.copy(&mut a, &mut writer, &mut b, most).unwrap();
        let skipped = first.min(from.readable());
        assert_eq!(copied, most.min(from.readable() - skipped).min(to.writable()));
        assert_eq!((reader.left(), writer.left()), (from.readable() - skipped - copied, to.writable() - copied));
        assert!(a.steps.take().unwrap().len() < source.len() + target.len());
        let mut there = vec![0; copied as usize];
        let mut at = 0;
        for (address, length) in &target {
            let length = (*length as usize).min(there.len() - at);
            there[at..at + length].copy_from_slice(b.at(*address, length));
            at += length;
        }
        assert_eq!(there, text[skipped as usize..][..copied as usize]);
        queue_a.put(&mut a, from.head(), 0).unwrap();
        queue_b.put(&mut b, to.head(), copied).unwrap();
    }
}

#[test]
fn a_shortened_place_ends_there() {
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    driver.give(&mut ram, &buffers(DATA, &[10, 10]), 0);
    let mut chain = Chain::new();
    assert!(queue.take(&mut ram, &mut chain).unwrap());
    let mut writer = chain.writer();
    writer.skip(4);
    writer.truncate(9);
    assert_eq!(writer.left(), 9);
    assert_eq!(writer.write(&mut ram, &[1; 30]).unwrap(), 9);
    assert_eq!((writer.left(), writer.piece(1)), (0, None));
}

/// A chain of so many descriptors, as a queue has read it.
fn chain_of(descriptors: usize) -> Chain {
    let (mut ram, mut driver, mut queue) = set_up(4, ALL);
    let mut chain = Chain::new();
    driver.give_indirect(&mut ram, START + 0x8000, &buffers(DATA, &vec![1; descriptors]), descriptors);
    assert!(queue.take(&mut ram, &mut chain).unwrap());
    chain
}

#[test]
fn a_budget_runs_out_by_bytes_and_by_what_chains_are_made_of() {
    // Whatever the chains are, what is not spent is enough for the longest.
    for descriptors in [1, 2, 3, 20, 129, MAX_CHAIN] {
        let (mut budget, chain) = (Budget::new(), chain_of(descriptors));
        let mut count = 0;
        while !budget.is_spent() {
            assert!(budget.descriptors() >= MAX_CHAIN);
            assert_eq!(budget.is_fresh(), count <= 1);
            budget.chain(&chain);
            count += 1;
        }
        let steps = Budget::CHAIN as usize + descriptors;
        assert!(count * steps <= Budget::STEPS as usize, "{count} chains of {descriptors}");
        assert!((count + 1) * steps + MAX_CHAIN + 3 > Budget::STEPS as usize, "{count} chains of {descriptors}");
    }
    let mut budget = Budget::new();
    (0..Budget::STEPS).for_each(|_| budget.message());
    assert!(budget.is_spent() && budget.descriptors() == 0);
    let mut budget = Budget::default();
    budget.copied(Budget::BYTES - 1);
    assert_eq!((budget.is_spent(), budget.bytes()), (false, 1));
    let before = budget.descriptors();
    budget.copied(1 + 2 * Budget::BYTES_PER_STEP);
    assert!(budget.is_spent());
    assert_eq!(before - budget.descriptors(), 2, "a longer frame is paid for");
}

#[test]
fn a_chain_that_is_too_long_for_now_stays_there() {
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    let mut chain = Chain::new();
    let head = driver.give_indirect(&mut ram, START + 0x8000, &buffers(DATA, &[8; 100]), 50);
    let before = queue.clone();
    ram.steps = Some(Vec::new());
    for most in [0, 1, 50, 99] {
        let taken = queue.take_within(&mut ram, &mut chain, most);
        assert_eq!(taken, Err(Fault::TooLong { head, most }));
        assert_eq!((queue.position(), queue.taken().count()), (before.position(), 0));
        let steps = ram.steps.replace(Vec::new()).unwrap();
        let copies = steps.iter().filter(|step| matches!(step, Step::In(..))).count();
        assert!(copies <= 1 + most + 1, "{copies} for {most}");
    }
    assert_eq!(queue.take_within(&mut ram, &mut chain, 100), Ok(true));
    assert_eq!((chain.head(), chain.descriptors()), (head, 100));
    // The limit was that one's.
    driver.give_indirect(&mut ram, START + 0x8000, &buffers(DATA, &[8; 101]), 50);
    assert_eq!(queue.take(&mut ram, &mut chain), Ok(true));
}

#[test]
fn a_chain_that_is_looked_at_and_passed_is_as_if_it_was_taken_and_put() {
    for lengths in [&[100][..], &[1], &[60, 40]] {
        let (mut ram, mut driver, mut queue) = set_up(8, ALL);
        let parts = buffers(DATA, lengths);
        (0..3).for_each(|_| _ = driver.give(&mut ram, &parts, parts.len()));
        let mut chain = Chain::new();
        // One of them is the device's meanwhile.
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        let before = queue.save();
        let only = queue.only(&mut ram);
        assert_eq!(queue.save(), before, "nothing was taken");
        assert_eq!(only.is_some(), lengths.len() == 1);
        let Some(only) = only else { continue };
        assert_eq!((only.segment().address, only.length, only.writable), (DATA, lengths[0], false));
        let (mut other, mut others) = (queue.clone(), Chain::new());
        queue.pass(&mut ram, only, 7).unwrap();
        assert!(other.take(&mut ram, &mut others).unwrap());
        other.put(&mut ram, others.head(), 7).unwrap();
        assert_eq!(queue.save(), other.save());
        queue.publish(&mut ram).unwrap();
        assert_eq!(driver.used(&ram), Some((others.head(), 7)));
    }
    // A head that the device has already, or that cannot be, is left to who says so.
    let (mut ram, mut driver, mut queue) = set_up(8, ALL);
    driver.give(&mut ram, &buffers(DATA, &[8]), 1);
    for head in [8_u16, u16::MAX] {
        ram.put(driver.layout.available + 4, &head.to_le_bytes());
        assert_eq!(queue.only(&mut ram), None);
    }
}
