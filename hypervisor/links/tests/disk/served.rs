//! A served disk between its driver and a server.

use fastrand::Rng;
use portcullis_links::disk::Served;
use portcullis_links::nbd::{Broken, MAX_REQUESTS};
use portcullis_virtio::Fault;
use portcullis_virtio::fake::{Driver, START, WRITE};

use crate::bed::*;
use crate::connected::{Bed, SIZE, TIMEOUT};
use crate::server::Manner;

#[test]
fn requests_are_done_by_the_server() {
    let mut bed = Bed::new(Manner::good());
    let before = bed.server.store.clone();
    let text: Vec<u8> = (0..5120).map(|i| (i * 11) as u8).collect();
    let heads = [
        bed.vm.request(IN, 4, &[], 4096, 1000),
        bed.vm.request(OUT, 20, &text, 0, 999),
        bed.vm.request(FLUSH, 0, &[], 0, 1),
        bed.vm.request(WRITE_ZEROES, 0, &range(100, 3, 1), 0, 16),
        bed.vm.request(DISCARD, 0, &range(200, 3, 0), 0, 16),
        bed.vm.request(GET_ID, 0, &[], 20, 20),
        bed.vm.request(IN, u64::MAX, &[], 512, 512),
    ];
    bed.settle();
    let mut answers: Vec<(u16, u8, Vec<u8>)> = std::iter::from_fn(|| bed.vm.answer()).collect();
    answers.sort_by_key(|answer| heads.iter().position(|head| *head == answer.0));
    let states: Vec<u8> = answers.iter().map(|answer| answer.1).collect();
    assert_eq!(states, [OK, OK, OK, OK, OK, OK, IOERR]);
    assert_eq!(answers[0].2, before[4 * 512..12 * 512]);
    let mut after = before;
    after[20 * 512..30 * 512].copy_from_slice(&text);
    after[100 * 512..103 * 512].fill(0);
    assert_eq!((bed.server.store == after, bed.server.count), (true, 5));
}

#[test]
fn any_traffic_agrees_with_an_array_of_bytes() {
    let mut random = Rng::with_seed(0xfeed_beef_1234_4321);
    let mut bed = Bed::new(Manner::good());
    let mut model = bed.server.store.clone();
    // What is under way, by head: where it reads, or nothing.
    let mut under_way: Vec<(u16, Option<(usize, usize)>)> = Vec::new();
    // Sectors that are in use: requests that overlap may be done in any order.
    let mut busy = vec![false; SIZE / 512];
    let mut ranges: Vec<(u16, usize, usize)> = Vec::new();
    let mut done = 0;
    let rounds = if cfg!(miri) { 60 } else { 10_000 };
    for round in 0..rounds {
        let (sector, count) = (random.u64(..500) as usize, 1 + random.u64(..12) as usize);
        let free = !busy[sector..sector + count].contains(&true);
        if bed.vm.is_free() && free && round + 500 < rounds.max(501) {
            let bytes = sector * 512..(sector + count) * 512;
            let piece = 100 + random.u64(..3000) as usize;
            let (head, read) = match random.u64(..5) {
                0 | 1 => (bed.vm.request(IN, sector as u64, &[], bytes.len(), piece), Some((bytes.start, bytes.end))),
                2 | 3 => {
                    let text: Vec<u8> = bytes.clone().map(|i| (i * 13 + round) as u8).collect();
                    model[bytes].copy_from_slice(&text);
                    (bed.vm.request(OUT, sector as u64, &text, 0, piece), None)
                }
                _ => {
                    model[bytes].fill(0);
                    let zeroes = range(sector as u64, count as u32, random.u64(..2) as u32);
                    (bed.vm.request(WRITE_ZEROES, 0, &zeroes, 0, 16), None)
                }
            };
            busy[sector..sector + count].fill(true);
            ranges.push((head, sector, count));
            under_way.push((head, read));
        }
        // Where many are under way, they are answered.
        let few = under_way.len() > 10;
        let (room, amount) = (random.u64(..5000) as u32, random.u64(..9000) as usize);
        assert!(bed.piece(room, amount).unwrap().is_ok());
        while !bed.server.replies.is_empty() && (few || random.u64(..3) == 0) {
            let which = random.u64(..bed.server.replies.len() as u64) as usize;
            let reply = bed.server.replies.swap_remove(which);
            bed.server.out.extend(reply);
        }
        if random.u64(..400) == 0 {
            bed.reconnect();
        }
        while let Some((head, status, data)) = bed.vm.answer() {
            let place = under_way.iter().position(|(other, _)| *other == head).unwrap();
            let (_, read) = under_way.swap_remove(place);
            assert_eq!(status, OK);
            if let Some((start, end)) = read {
                assert!(data == model[start..end], "round {round}: bytes {start} to {end}");
            }
            let place = ranges.iter().position(|(other, ..)| *other == head).unwrap();
            let (_, sector, count) = ranges.swap_remove(place);
            busy[sector..sector + count].fill(false);
            done += 1;
        }
    }
    bed.settle();
    while let Some((head, status, _)) = bed.vm.answer() {
        assert_eq!(status, OK);
        under_way.retain(|(other, _)| *other != head);
    }
    assert!(bed.server.store == model && under_way.is_empty());
    assert!(done > if cfg!(miri) { 0 } else { rounds / 60 }, "{done} of {rounds}");
}

#[test]
fn requests_wait_for_a_server_until_their_time_is_over() {
    let mut bed = Bed::new(Manner::good());
    bed.disk.close();
    let head = bed.vm.request(IN, 0, &[], 512, 512);
    assert!(!bed.piece(100, 0).unwrap().unwrap());
    assert_eq!(bed.disk.client().deadline(), Some(TIMEOUT));
    bed.now = TIMEOUT - 1;
    assert!(!bed.expire());
    assert_eq!(bed.vm.answer(), None);
    let early = bed.vm.request(IN, 1, &[], 512, 512);
    bed.piece(0, 0).unwrap().unwrap();
    bed.now = TIMEOUT;
    assert!(!bed.expire());
    assert_eq!((bed.vm.answer(), bed.vm.answer()), (Some((head, IOERR, vec![])), None));
    bed.server.greet();
    bed.disk.open();
    bed.settle();
    assert_eq!(bed.vm.answer(), Some((early, OK, bed.server.store[512..1024].to_vec())), "it came in time");
    assert_eq!(bed.disk.client().deadline(), None);
}

#[test]
fn a_late_reply_is_thrown_away() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let head = bed.vm.request(IN, 0, &[], 4096, 4096);
    assert!(bed.piece(4096, 0).unwrap().unwrap());
    bed.now = TIMEOUT;
    assert!(!bed.expire(), "all of it was sent: the connection stays");
    assert_eq!(bed.vm.answer(), Some((head, IOERR, vec![])));
    // Its memory is another request's now.
    let steps = bed.vm.request(IN, 8, &[], 1024, 1024);
    bed.settle();
    assert_eq!(bed.vm.answer(), Some((steps, OK, bed.server.store[4096..5120].to_vec())));
    assert_eq!(bed.vm.answer(), None);
}

#[test]
fn what_is_half_sent_costs_the_connection() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let before = bed.server.store.clone();
    let head = bed.vm.request(OUT, 0, &[7; 4096], 0, 4096);
    assert!(bed.piece(1000, 0).unwrap().unwrap());
    bed.now = TIMEOUT;
    assert!(bed.expire());
    assert_eq!(bed.vm.answer(), Some((head, IOERR, vec![])));
    bed.reconnect();
    bed.settle();
    assert!(bed.server.store == before && bed.vm.answer().is_none());
    // A driver that begins anew.
    bed.vm.request(OUT, 0, &[7; 4096], 0, 4096);
    assert!(bed.piece(1000, 0).unwrap().unwrap());
    assert!(bed.disk.reset());
    bed.reconnect();
    bed.vm.request(OUT, 0, &[7; 512], 0, 4096);
    bed.piece(0, 0).unwrap().unwrap();
    assert!(!bed.disk.reset(), "nothing of it was sent");
    assert_eq!(bed.disk.client().deadline(), None);
}

#[test]
fn a_server_that_dies_is_asked_again() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let text = vec![9; 8192];
    let heads = [bed.vm.request(OUT, 0, &text, 0, 4096), bed.vm.request(IN, 64, &[], 8192, 4096)];
    // The first is half sent, or both are sent and the second is half read.
    for room in [1000, 20_000] {
        bed.piece(room, 0).unwrap().unwrap();
        let replies: Vec<u8> = bed.server.replies.drain(..).flatten().collect();
        bed.server.out.extend(&replies);
        bed.piece(0, replies.len() / 2).unwrap().unwrap();
        bed.reconnect();
    }
    bed.settle();
    let mut answers: Vec<_> = std::iter::from_fn(|| bed.vm.answer()).collect();
    answers.sort();
    assert_eq!(answers.iter().map(|answer| (answer.0, answer.1)).collect::<Vec<_>>(), heads.map(|head| (head, OK)));
    assert!(bed.server.store[..8192] == text && answers[1].2 == bed.server.store[32768..40960]);
}

#[test]
fn what_a_server_cannot_do_is_said() {
    let mut bed = Bed::new(Manner { flags: 1, blocks: Some([1, 1, 8192]), ..Manner::good() });
    let cases = [
        // It keeps nothing back.
        (FLUSH, vec![], 0, OK),
        (DISCARD, range(0, 8, 0), 0, UNSUPP),
        (WRITE_ZEROES, range(0, 8, 0), 0, UNSUPP),
        (IN, vec![], 8192, OK),
        (IN, vec![], 8704, OK),
        (OUT, vec![1; 8704], 0, OK),
    ];
    let heads: Vec<u16> =
        cases.iter().map(|(kind, data, room, _)| bed.vm.request(*kind, 0, data, *room, 4096)).collect();
    bed.settle();
    let mut states: Vec<(u16, u8)> =
        std::iter::from_fn(|| bed.vm.answer()).map(|answer| (answer.0, answer.1)).collect();
    states.sort();
    let expected: Vec<(u16, u8)> = heads.into_iter().zip(cases.map(|case| case.3)).collect();
    assert_eq!(states, expected);
    // What it has done is not lost with it.
    bed.disk.close();
    let flush = bed.vm.request(FLUSH, 0, &[], 0, 1);
    bed.reconnect();
    bed.settle();
    assert_eq!(bed.vm.answer(), Some((flush, OK, vec![])));
    for (error, status) in [(5, IOERR), (28, IOERR), (95, UNSUPP)] {
        let mut bed = Bed::new(Manner { error, ..Manner::good() });
        let head = bed.vm.request(IN, 0, &[], 512, 512);
        bed.settle();
        assert_eq!(bed.vm.answer(), Some((head, status, vec![])));
    }
}

#[test]
fn replies_that_lie_end_the_connection() {
    let reply = |magic: u32, cookie: u64| [&magic.to_be_bytes()[..], &[0; 4], &cookie.to_be_bytes()].concat();
    let good = 0x6744_6698;
    for (bytes, broken) in [
        (reply(0x668e_33ef, 1), Broken::Reply([0x66, 0x8e, 0x33, 0xef])),
        (reply(good, 99), Broken::Cookie(99)),
        (reply(good, 0), Broken::Cookie(0)),
        (reply(good, 2), Broken::Cookie(2)),
    ] {
        let mut bed = Bed::new(Manner::good());
        bed.settle();
        bed.vm.request(IN, 0, &[], 512, 512);
        bed.piece(28, 0).unwrap().unwrap();
        bed.vm.request(OUT, 0, &[1; 512], 0, 512);
        // The second one is half sent: it cannot be done.
        bed.piece(100, 0).unwrap().unwrap();
        bed.server.out.extend(&bytes);
        assert_eq!(bed.piece(0, 1000).unwrap(), Err(broken));
        bed.reconnect();
        bed.settle();
        assert_eq!(std::iter::from_fn(|| bed.vm.answer()).filter(|answer| answer.1 == OK).count(), 2);
    }
}

#[test]
fn as_many_as_there_is_room_for_and_then_the_others() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    (0..MAX_REQUESTS + 8).for_each(|_| _ = bed.vm.request(FLUSH, 0, &[], 0, 1));
    (0..3).for_each(|_| _ = bed.piece(0, 0).unwrap().unwrap());
    assert_eq!(bed.vm.queue.taken().count(), MAX_REQUESTS);
    bed.settle();
    let answers = std::iter::from_fn(|| bed.vm.driver.used(&bed.vm.ram)).count();
    assert_eq!((answers, bed.server.count), (MAX_REQUESTS + 8, MAX_REQUESTS + 8));
    // A server that takes requests and never answers is cut when there is no room for another one.
    (0..MAX_REQUESTS).for_each(|_| _ = bed.vm.request(FLUSH, 0, &[], 0, 1));
    (0..3).for_each(|_| _ = bed.piece(4096, 0).unwrap().unwrap());
    bed.now += TIMEOUT;
    assert!((0..3).any(|_| bed.expire()));
    assert_eq!(std::iter::from_fn(|| bed.vm.answer()).count(), MAX_REQUESTS, "each of them");
}

#[test]
fn a_chain_that_is_changed_is_its_drivers_fault() {
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let head = bed.vm.request(IN, 0, &[], 4096, 4096);
    bed.piece(4096, 0).unwrap().unwrap();
    let replies: Vec<u8> = bed.server.replies.drain(..).flatten().collect();
    bed.server.out.extend(replies);
    Driver::describe(&mut bed.vm.ram, START + 0x2000, 1, (DATA, 512), WRITE, 0);
    let changed = bed.piece(0, 5000);
    assert_eq!(changed, Err(Fault::Changed { head }));
    let mut bed = Bed::new(Manner::good());
    bed.settle();
    let head = bed.vm.request(OUT, 0, &[1; 4096], 0, 4096);
    bed.piece(28, 0).unwrap().unwrap();
    Driver::describe(&mut bed.vm.ram, START + 0x2000, 1, (DATA, 512), 1, 2);
    assert_eq!(bed.piece(4096, 0), Err(Fault::Changed { head }));
}

#[test]
fn requests_go_on_after_a_restore() {
    let mut bed = Bed::new(Manner::good());
    let heads = [bed.vm.request(OUT, 0, &[5; 1024], 0, 512), bed.vm.request(IN, 9, &[], 512, 512)];
    bed.piece(0, 0).unwrap().unwrap();
    let mut other = Served::new(*bed.disk.geometry(), "", TIMEOUT).unwrap();
    other.resume();
    bed.disk = other;
    bed.server.greet();
    bed.disk.open();
    bed.settle();
    let states: Vec<(u16, u8)> = std::iter::from_fn(|| bed.vm.answer()).map(|answer| (answer.0, answer.1)).collect();
    assert_eq!(states, heads.map(|head| (head, OK)));
    assert_eq!(bed.server.store[..1024], [5; 1024]);
}
