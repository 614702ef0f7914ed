//! Bytes from one end to the other.

use portcullis_links::serial::{Progress, Side, Wait};
use portcullis_virtio::Budget;

use crate::bed::Line;
use crate::direction::Bed;

#[test]
fn bytes_go_from_one_to_the_other() {
    let mut bed = Bed::open();
    bed.b.room(100);
    bed.a.send(b"hello");
    bed.a.send(b", world");
    bed.settle();
    assert_eq!((bed.b.got(), bed.b.got()), (Some(b"hello".to_vec()), None), "one buffer, one piece");
    assert_eq!(bed.a.back(), 1, "the rest waits");
    bed.b.room(4);
    bed.b.room(4);
    bed.settle();
    assert_eq!((bed.got(), bed.a.back()), (b", world".to_vec(), 1));
    assert_eq!(bed.pair.counters(Side::A).sent, 12);
}

#[test]
fn nothing_is_delivered_to_who_has_not_opened_or_was_not_told() {
    let mut bed = Bed::new();
    bed.b.room(100);
    bed.a.send(b"early");
    assert_eq!(bed.work(), Ok(Progress::Idle(Wait::Reader)));
    bed.pair.open(Side::A);
    assert_eq!(bed.pair.session(Side::B), Some(1));
    bed.shown = Some(1);
    assert_eq!((bed.work(), bed.got()), (Ok(Progress::Idle(Wait::Reader)), vec![]));
    bed.pair.open(Side::B);
    bed.shown = None;
    assert_eq!((bed.work(), bed.got()), (Ok(Progress::Idle(Wait::Reader)), vec![]));
    bed.settle();
    bed.settle();
    assert_eq!((bed.got(), bed.a.back()), (b"early".to_vec(), 1));
}

#[test]
fn what_is_waited_for_is_said() {
    let mut bed = Bed::open();
    assert_eq!(bed.work(), Ok(Progress::Idle(Wait::Bytes)));
    bed.a.send(b"hello");
    assert_eq!(bed.work(), Ok(Progress::Idle(Wait::Room)));
    bed.b.room(3);
    assert_eq!(bed.work(), Ok(Progress::Idle(Wait::Room)), "the rest of the chain");
    bed.b.room(3);
    assert_eq!((bed.work(), bed.got()), (Ok(Progress::Idle(Wait::Bytes)), b"hello".to_vec()));
}

/// A reader whose driver is not there takes nothing; what was for one that has closed is dropped without it.
#[test]
fn bytes_are_dropped_without_the_other_end_s_queue() {
    let mut bed = Bed::open();
    bed.a.send(b"hello");
    let alone = |bed: &mut Bed| {
        let Bed { pair, a, shown, .. } = bed;
        pair.work(Side::A, *shown, &mut a.flow(), None, &mut Budget::new())
    };
    assert_eq!(alone(&mut bed), Ok(Progress::Idle(Wait::Reader)));
    let waiting = bed.a.queue.end(&mut bed.a.ram).unwrap();
    bed.pair.vanish(Side::B, waiting);
    assert_eq!(alone(&mut bed), Ok(Progress::Idle(Wait::Reader)));
    assert_eq!((bed.a.back(), bed.pair.counters(Side::A).dropped), (1, 5));
}

#[test]
fn a_close_comes_behind_the_last_byte() {
    let mut bed = Bed::open();
    bed.a.send(b"one");
    bed.a.send(b"two");
    bed.close_a();
    assert_eq!((bed.settle(), bed.pair.session(Side::B)), (0, Some(1)), "there is no room");
    bed.b.room(100);
    assert_eq!((bed.settle(), bed.pair.session(Side::B)), (0, Some(1)));
    bed.b.room(100);
    assert_eq!((bed.settle(), bed.pair.session(Side::B)), (1, None));
    assert_eq!(bed.got(), b"onetwo");
    // One with nothing to send is over at once.
    let mut bed = Bed::open();
    bed.close_a();
    assert_eq!((bed.settle(), bed.pair.session(Side::B)), (1, None));
}

#[test]
fn an_open_after_a_close_is_another_session() {
    let mut bed = Bed::open();
    bed.a.send(b"one");
    bed.close_a();
    bed.pair.open(Side::A);
    bed.a.send(b"two");
    (0..2).for_each(|_| bed.b.room(100));
    assert_eq!(bed.work(), Ok(Progress::Turned));
    assert_eq!((bed.got(), bed.pair.session(Side::B)), (b"one".to_vec(), Some(2)));
    assert_eq!((bed.work(), bed.got()), (Ok(Progress::Idle(Wait::Reader)), vec![]), "its driver is told first");
    bed.shown = bed.pair.session(Side::B);
    assert_eq!((bed.settle(), bed.got()), (0, b"two".to_vec()));
    // A second end before the first was told goes with it; nothing is lost.
    bed.a.send(b"three");
    bed.close_a();
    bed.pair.open(Side::A);
    bed.a.send(b"four");
    bed.close_a();
    assert_eq!(bed.pair.session(Side::B), Some(2));
    bed.pair.open(Side::A);
    (0..3).for_each(|_| bed.b.room(100));
    assert_eq!((bed.settle(), bed.got()), (1, b"threefour".to_vec()));
    assert_eq!((bed.pair.session(Side::B), bed.pair.counters(Side::A).sessions), (Some(4), 4));
}

#[test]
fn what_a_reader_has_not_taken_when_it_closes_is_dropped() {
    let mut bed = Bed::open();
    bed.b.room(4);
    bed.a.send(b"0123456789");
    bed.a.send(b"abc");
    bed.settle();
    assert_eq!(bed.got(), b"0123");
    bed.close_b();
    bed.b.room(100);
    bed.settle();
    assert_eq!((bed.got(), bed.a.back(), bed.pair.counters(Side::A).dropped), (vec![], 2, 9));
    bed.a.send(b"later");
    bed.settle();
    assert_eq!(bed.a.back(), 0, "what comes behind it is for who opens next");
    bed.pair.open(Side::B);
    bed.settle();
    assert_eq!((bed.got(), bed.pair.counters(Side::A).dropped), (b"later".to_vec(), 9));
    // Both close: what was dropped is also behind the writer's end.
    bed.a.send(b"xyz");
    bed.close_a();
    bed.close_b();
    assert_eq!((bed.settle(), bed.pair.session(Side::B)), (0, None), "there is nobody to tell");
    assert_eq!(bed.pair.counters(Side::A).dropped, 12);
}

#[test]
fn the_end_of_a_session_that_nobody_waits_for_does_not_stay() {
    for vanishes in [false, true] {
        let mut bed = Bed::open();
        (0..2).for_each(|_| bed.a.send(b"x"));
        bed.close_a();
        bed.pair.open(Side::A);
        (0..3).for_each(|_| bed.a.send(b"y"));
        bed.settle();
        // The reader goes with all of it untaken.
        if vanishes {
            let waiting = bed.a.queue.end(&mut bed.a.ram).unwrap();
            bed.pair.vanish(Side::B, waiting);
            bed.b = Line::new();
        } else {
            bed.close_b();
        }
        assert_eq!(bed.pair.session(Side::B), Some(2), "the one that is open");
        assert_eq!((bed.settle(), bed.a.back()), (0, 5));
        bed.pair.open(Side::B);
        // Indices go round, and no end of file comes where the first session's end was.
        let rounds = if cfg!(miri) { 50 } else { 0x1_0000 + 50 };
        for round in 0..rounds {
            bed.a.send(b"z");
            bed.b.room(8);
            assert_eq!(bed.settle(), 0, "round {round}");
            assert_eq!((bed.b.got(), bed.a.back()), (Some(b"z".to_vec()), 1), "round {round}");
        }
        assert_eq!((bed.pair.session(Side::B), bed.pair.counters(Side::A).dropped), (Some(2), 5));
    }
}

#[test]
fn a_close_behind_what_is_lost_is_told() {
    let mut bed = Bed::open();
    bed.a.send(b"lost");
    bed.close_b();
    bed.pair.open(Side::B);
    bed.close_a();
    bed.pair.open(Side::A);
    assert_eq!((bed.settle(), bed.a.back(), bed.pair.session(Side::B)), (1, 1, Some(2)));
}

#[test]
fn who_vanishes_is_closed_at_once() {
    let mut bed = Bed::open();
    bed.a.send(b"never");
    bed.pair.vanish(Side::A, 0);
    bed.a = Line::new();
    assert_eq!(bed.pair.session(Side::B), None);
    assert_eq!(bed.work(), Ok(Progress::Idle(Wait::Reader)));
    bed.pair.open(Side::A);
    bed.a.send(b"again");
    bed.b.room(100);
    bed.settle();
    bed.settle();
    assert_eq!(bed.got(), b"again");
    // The reader: what waits for it is dropped.
    bed.a.send(b"lost");
    let waiting = bed.a.queue.end(&mut bed.a.ram).unwrap();
    bed.pair.vanish(Side::B, waiting);
    bed.b = Line::new();
    assert_eq!((bed.settle(), bed.a.back(), bed.pair.counters(Side::A).dropped), (0, 2, 4));
    assert_eq!(bed.pair.session(Side::A), None);
}

#[test]
fn long_writes_are_done_in_pieces() {
    let mut bed = Bed::open();
    let (length, times) = if cfg!(miri) { (16_500, 2) } else { (30_000, 3) };
    let text: Vec<u8> = (0..length).map(|i| (i % 253) as u8).collect();
    let mut got = Vec::new();
    for _ in 0..times {
        bed.a.send(&text);
    }
    (0..24).for_each(|_| bed.b.room(4096));
    assert_eq!(bed.work(), Ok(Progress::More), "32 KiB at once");
    got.extend(bed.got());
    assert_eq!(got.len(), 32 << 10);
    bed.settle();
    got.extend(bed.got());
    assert!(got == text.repeat(times));
}

#[test]
fn any_lengths_arrive_in_order() {
    let mut bed = Bed::open();
    let mut seed = 0x5eed_5eed_5eed_5eed_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let (mut sent, mut got, mut waiting, mut rooms) = (Vec::new(), Vec::new(), 0, 0);
    for round in 0..if cfg!(miri) { 40 } else { 5000_usize } {
        // No more than 12 of each are under way, so that their memory is theirs.
        if random(2) == 0 && waiting < 12 {
            let text: Vec<u8> = (0..=random(900)).map(|i| (i as usize * round) as u8).collect();
            bed.a.send(&text);
            sent.extend(text);
            waiting += 1;
        }
        if random(2) == 0 && rooms < 12 {
            bed.b.room(1 + random(600) as u32);
            rooms += 1;
        }
        bed.settle();
        while let Some(bytes) = bed.b.got() {
            got.extend(bytes);
            rooms -= 1;
        }
        waiting -= bed.a.back();
        assert!(got == sent[..got.len()]);
    }
    // In few rounds most of it is under way still.
    assert!(got.len() * if cfg!(miri) { 10 } else { 2 } > sent.len());
    assert_eq!(bed.pair.counters(Side::A).sent, got.len() as u64);
}
