//! Connections that end, are cut, or are slow: what becomes of requests, and what a piece of work takes.

use portcullis_links::disk::Flow;
use portcullis_links::nbd::{Broken, MAX_REQUESTS};
use portcullis_virtio::fake::{INSTRUCTIONS, START, buffers, price};
use portcullis_virtio::{Budget, MAX_CHAIN};

use crate::bed::*;
use crate::connected::{Bed, TIMEOUT};
use crate::server::Manner;

#[test]
fn a_server_that_has_all_requests_of_a_driver_that_is_gone_is_cut() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    // One less than there is room for is no reason: the next one's time decides.
    for (count, cut) in [(MAX_REQUESTS - 1, false), (MAX_REQUESTS, true)] {
        bed.reconnect();
        bed.settle();
        (0..count).for_each(|_| _ = bed.vm.request(FLUSH, 0, &[], 0, 1));
        (0..3).for_each(|_| _ = bed.piece(4096, 0).unwrap().unwrap());
        assert_eq!(bed.server.replies.len(), count, "it has all of them, and answers none");
        assert_eq!(bed.disk.reset(), cut);
        bed.vm = Vm::new();
    }
    assert!(!bed.disk.client().has_room() && bed.disk.client().deadline().is_none(), "nothing would ever change it");
    bed.reconnect();
    let head = bed.vm.request(IN, 0, &[], 512, 512);
    bed.settle();
    assert_eq!(bed.vm.answer(), Some((head, OK, bed.server.store[..512].to_vec())));
}

#[test]
fn nothing_goes_by_a_connection_that_is_to_be_cut() {
    // Half of a write is sent. Whatever came behind it would be taken for its data.
    for reset in [false, true] {
        let mut bed = Bed::new(Manner::good());
        bed.settle();
        let before = bed.server.store.clone();
        bed.vm.request(OUT, 0, &[7; 4096], 0, 4096);
        bed.piece(1000, 0).unwrap().unwrap();
        bed.now = TIMEOUT;
        assert!(if reset { bed.disk.reset() } else { bed.expire() });
        bed.vm = if reset { Vm::new() } else { bed.vm };
        while bed.vm.answer().is_some() {}
        let head = bed.vm.request(OUT, 64, &[8; 8192], 0, 4096);
        for _ in 0..4 {
            assert!(!bed.piece(4096, 0).unwrap().unwrap(), "nothing moves");
        }
        bed.reconnect();
        bed.settle();
        assert_eq!(bed.vm.answer(), Some((head, OK, vec![])));
        assert!(
            bed.server.store[..64 * 512] == before[..64 * 512] && bed.server.store[64 * 512..][..8192] == [8; 8192]
        );
    }
}

#[test]
fn nothing_goes_to_or_comes_from_a_server_that_lied() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let head = bed.vm.request(IN, 0, &[], 512, 512);
    bed.piece(28, 0).unwrap().unwrap();
    let replies: Vec<u8> = bed.server.replies.drain(..).flatten().collect();
    bed.server.out.extend([0; 16].iter().chain(&replies));
    assert_eq!(bed.piece(0, 1000).unwrap(), Err(Broken::Reply([0; 4])));
    bed.vm.request(OUT, 8, &[1; 512], 0, 512);
    bed.server.out.extend(replies);
    bed.piece(4096, 1000).unwrap().unwrap();
    assert_eq!((bed.server.count, bed.vm.answer()), (1, None));
    bed.reconnect();
    bed.settle();
    assert_eq!(bed.vm.answer(), Some((head, OK, bed.server.store[..512].to_vec())));
}

#[test]
fn a_flush_says_so_when_writes_before_it_may_be_lost() {
    let one = |bed: &mut Bed, kind: u32| {
        let data = match kind {
            OUT => vec![3; 512],
            WRITE_ZEROES => range(0, 1, 0),
            _ => vec![],
        };
        let head = bed.vm.request(kind, 0, &data, 0, 512);
        bed.settle();
        let (other, status, _) = bed.vm.answer().unwrap();
        assert_eq!(other, head);
        status
    };
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    for write in [OUT, WRITE_ZEROES] {
        // What was flushed is there, and what was not may be gone with the server's cache.
        assert_eq!([one(&mut bed, write), one(&mut bed, FLUSH)], [OK; 2]);
        bed.reconnect();
        assert_eq!(one(&mut bed, FLUSH), OK);
        assert_eq!(one(&mut bed, write), OK);
        bed.reconnect();
        bed.reconnect();
        assert_eq!([one(&mut bed, FLUSH), one(&mut bed, FLUSH)], [IOERR, OK], "once");
        // Also if it is not the next request, and the driver has begun anew.
        assert_eq!(one(&mut bed, write), OK);
        bed.disk.close();
        assert!(!bed.disk.reset());
        bed.server.greet();
        bed.disk.open();
        assert_eq!([one(&mut bed, write), one(&mut bed, FLUSH), one(&mut bed, FLUSH)], [OK, IOERR, OK]);
    }
    // What was only read is not lost.
    let head = bed.vm.request(IN, 0, &[], 512, 512);
    bed.settle();
    assert_eq!(bed.vm.answer().map(|answer| (answer.0, answer.1)), Some((head, OK)));
    bed.reconnect();
    assert_eq!(one(&mut bed, FLUSH), OK);
}

#[test]
fn each_flush_under_way_says_so_and_covers_what_was_done_before_it() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    // Two flushes have been sent, and not answered, when the server of a write that was done goes.
    bed.vm.request(OUT, 0, &[1; 512], 0, 512);
    bed.settle();
    assert_eq!(bed.vm.answer().map(|answer| answer.1), Some(OK));
    let flushes = [0, 1].map(|_| bed.vm.request(FLUSH, 0, &[], 0, 1));
    bed.piece(4096, 0).unwrap().unwrap();
    bed.reconnect();
    let behind = bed.vm.request(FLUSH, 0, &[], 0, 1);
    bed.settle();
    let mut states: Vec<(u16, u8)> =
        std::iter::from_fn(|| bed.vm.answer()).map(|answer| (answer.0, answer.1)).collect();
    states.sort();
    assert_eq!(states, [(flushes[0], IOERR), (flushes[1], IOERR), (behind, OK)]);
    // A flush that was sent before a write was done says nothing of it.
    let (flush, write) = (bed.vm.request(FLUSH, 0, &[], 0, 1), bed.vm.request(OUT, 0, &[1; 512], 0, 512));
    bed.piece(4096, 0).unwrap().unwrap();
    let replies: Vec<u8> = bed.server.replies.drain(..).rev().flatten().collect();
    bed.server.out.extend(replies);
    bed.settle();
    let states = [bed.vm.answer(), bed.vm.answer()].map(|answer| answer.map(|answer| (answer.0, answer.1)));
    assert_eq!(states, [Some((write, OK)), Some((flush, OK))]);
    bed.reconnect();
    bed.vm.request(FLUSH, 0, &[], 0, 1);
    bed.settle();
    assert_eq!(bed.vm.answer().map(|answer| answer.1), Some(IOERR));
}

#[test]
fn what_is_longer_than_a_server_takes_goes_in_parts() {
    // Longest requests that are blocks and that are not; a connection may end at any part.
    for longest in [8192 + 511, 4096, 1000, 512].into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
        for ends in [None, Some(1), Some(3)] {
            let manner = Manner { blocks: Some([1, 1, longest]), ..Manner::good() };
            let mut bed = Bed::new(manner);
            bed.settle();
            let before = bed.server.store.clone();
            let text: Vec<u8> = (0..20_480).map(|i| (i * 3 / 7) as u8).collect();
            let heads = [bed.vm.request(OUT, 8, &text, 0, 3000), bed.vm.request(IN, 100, &[], 20_480, 2999)];
            for _ in 0..ends.unwrap_or(0) {
                bed.piece(5000, 5000).unwrap().unwrap();
                let replies: Vec<u8> = bed.server.replies.drain(..).flatten().collect();
                bed.server.out.extend(replies);
            }
            if ends.is_some() {
                bed.reconnect();
            }
            bed.settle();
            let mut answers: Vec<_> = std::iter::from_fn(|| bed.vm.answer()).collect();
            answers.sort();
            let expected = [(heads[0], OK, vec![]), (heads[1], OK, before[51_200..51_200 + 20_480].to_vec())];
            assert!(answers == expected, "{longest} {ends:?}");
            let mut after = before;
            after[4096..4096 + 20_480].copy_from_slice(&text);
            assert!(bed.server.store == after, "{longest} {ends:?}");
        }
    }
}

#[test]
fn hostile_chains_do_not_make_a_piece_of_work_long() {
    // Requests of as many buffers as there may be, to a server whose buffers are of a byte each.
    let (requests, rounds) = if cfg!(miri) { (2, 30) } else { (16, 200) };
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    for round in 0..requests {
        let kind = if round % 2 == 0 { OUT } else { IN };
        let (data, room) = if kind == OUT { (vec![1; 512], 0) } else { (vec![], 512) };
        bed.vm.request(kind, round, &data, room, 4);
    }
    let mut answered = 0;
    for _ in 0..rounds {
        let Bed { vm, disk, port, server, now } = &mut bed;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        flow.memory.steps = Some(Vec::new());
        disk.take(&mut flow, *now, &mut Budget::new()).unwrap();
        assert!(price(&mut flow.memory.steps) <= INSTRUCTIONS);
        let parts = buffers(DATA, &[1; MAX_CHAIN]);
        let head = port.driver.give_indirect(&mut port.ram, START + 0x2000, &parts, 0);
        let mut budget = Budget::new();
        (flow.memory.steps, port.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
        assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
        budget.chain(&port.chain);
        let sent = disk.send(Some(&mut flow), &mut port.chain.writer(), &mut port.ram, &mut budget).unwrap();
        port.queue.put(&mut port.ram, head, sent).unwrap();
        assert!(price(&mut flow.memory.steps) + price(&mut port.ram.steps) <= INSTRUCTIONS);
        parts.iter().take(sent as usize).for_each(|part| server.hear(port.ram.at(part.0, 1)));
        server.out.extend(server.replies.drain(..).flatten());
        let bytes: Vec<u8> = server.out.drain(..server.out.len().min(2000)).collect();
        if !bytes.is_empty() {
            port.ram.put(DATA, &bytes);
            port.driver.give(&mut port.ram, &[(DATA, bytes.len() as u32)], 1);
            assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
            let mut reader = port.chain.reader();
            while reader.left() > 0 {
                (flow.memory.steps, port.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
                let mut budget = Budget::new();
                budget.chain(&port.chain);
                disk.receive(Some(&mut flow), &mut reader, &mut port.ram, &mut budget).unwrap().unwrap();
                assert!(price(&mut flow.memory.steps) + price(&mut port.ram.steps) <= INSTRUCTIONS);
            }
            port.queue.put(&mut port.ram, port.chain.head(), 0).unwrap();
        }
        port.queue.publish(&mut port.ram).unwrap();
        flow.queue.publish(flow.memory).unwrap();
        while let Some((_, status, _)) = vm.answer() {
            assert_eq!(status, OK);
            answered += 1;
        }
    }
    assert_eq!(answered, requests);
    // All of them late at once.
    (0..16).for_each(|round| _ = bed.vm.request(OUT, round, &[1; 512], 0, 4));
    (0..16).for_each(|_| _ = bed.piece(0, 0).unwrap().unwrap());
    bed.now += TIMEOUT;
    let mut pieces = 0;
    while bed.disk.client().deadline().is_some_and(|deadline| deadline <= bed.now) {
        bed.vm.ram.steps = Some(Vec::new());
        bed.expire();
        assert!(price(&mut bed.vm.ram.steps) <= INSTRUCTIONS);
        pieces += 1;
    }
    assert!(pieces > 1);
    assert_eq!(std::iter::from_fn(|| bed.vm.answer()).filter(|answer| answer.1 == IOERR).count(), 16);
}

#[test]
fn hostile_requests_do_not_make_one_buffer_of_the_servers_long_work() {
    // A buffer that takes all at once, and requests that are read again for each part of it.
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let requests = if cfg!(miri) { 4 } else { 20 };
    (0..requests).for_each(|sector| _ = bed.vm.request(OUT, sector, &[1; 512], 0, 4));
    (0..requests).for_each(|_| _ = bed.piece(0, 0).unwrap().unwrap());
    let mut pieces = 0;
    while (bed.server.count as u64) < requests {
        let Bed { vm, disk, port, server, .. } = &mut bed;
        let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
        let head = port.driver.give(&mut port.ram, &[(DATA, 32 << 10)], 0);
        let mut budget = Budget::new();
        (flow.memory.steps, port.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
        assert!(port.queue.take(&mut port.ram, &mut port.chain).unwrap());
        budget.chain(&port.chain);
        let sent = disk.send(Some(&mut flow), &mut port.chain.writer(), &mut port.ram, &mut budget).unwrap();
        assert!(price(&mut flow.memory.steps) + price(&mut port.ram.steps) <= INSTRUCTIONS);
        port.queue.put(&mut port.ram, head, sent).unwrap();
        server.hear(port.ram.at(DATA, sent as usize));
        pieces += 1;
    }
    assert!(pieces > requests / 4, "{pieces}");
}

#[test]
fn requests_that_are_refused_at_once_are_answered_by_and_by() {
    // Flushes of as many buffers as there may be: of a server that keeps nothing back, and of one that has lost what was written.
    for (flags, status) in [(1, OK), (1 | 1 << 2, IOERR)] {
        let mut bed = Bed::new(Manner { flags, ..Manner::good() });
        bed.settle();
        if status == IOERR {
            bed.vm.request(OUT, 0, &[1; 512], 0, 512);
            bed.settle();
            assert_eq!(bed.vm.answer().map(|answer| answer.1), Some(OK));
            bed.settle();
            (0..20).for_each(|_| _ = bed.vm.request(FLUSH, 0, &[], 512, 4));
            (0..20).for_each(|_| _ = bed.piece(4096, 0).unwrap().unwrap());
            bed.reconnect();
        } else {
            bed.disk.close();
            (0..20).for_each(|_| _ = bed.vm.request(FLUSH, 0, &[], 512, 4));
            (0..20).for_each(|_| _ = bed.piece(0, 0).unwrap().unwrap());
            bed.server.greet();
            bed.disk.open();
        }
        let mut answers = 0;
        for _ in 0..100 {
            let Bed { vm, disk, now, .. } = &mut bed;
            let mut flow = Flow { queue: &mut vm.queue, memory: &mut vm.ram, chain: &mut vm.chain };
            flow.memory.steps = Some(Vec::new());
            disk.take(&mut flow, *now, &mut Budget::new()).unwrap();
            assert!(price(&mut flow.memory.steps) <= INSTRUCTIONS);
            flow.queue.publish(flow.memory).unwrap();
            if status == OK && disk.client().export().is_none() {
                // The server agrees meanwhile, and nothing else comes.
                bed.shake();
            }
            let before = answers;
            while let Some((_, said, _)) = bed.vm.answer() {
                assert_eq!(said, status);
                answers += 1;
            }
            assert!(answers - before <= 3, "not all at once");
        }
        assert_eq!(answers, 20);
    }
}
