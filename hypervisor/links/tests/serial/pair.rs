//! Bytes from one end to the other.

use portcullis_links::serial::{Broken, Pair, Progress, Side, Wait};
use portcullis_virtio::fake::{INSTRUCTIONS, START, buffers, price};
use portcullis_virtio::{Budget, Fault, Features, Layout, MAX_CHAIN, Queue};

use crate::bed::Line;

/// One direction of a pair, from A to B, and what B's driver was told.
struct Bed {
    pair: Pair,
    a: Line,
    b: Line,
    shown: Option<u32>,
}

impl Bed {
    fn new() -> Self {
        Self { pair: Pair::new(), a: Line::new(), b: Line::new(), shown: None }
    }

    /// Both ends open.
    fn open() -> Self {
        let mut bed = Self::new();
        bed.pair.open(Side::A);
        bed.pair.open(Side::B);
        bed.shown = bed.pair.session(Side::B);
        bed
    }

    fn work(&mut self) -> Result<Progress, Broken> {
        let Self { pair, a, b, shown } = self;
        pair.work(Side::A, *shown, &mut a.flow(), Some(&mut b.flow()), &mut Budget::new())
    }

    /// Works until there is nothing to do; B's driver is told at once. Returns how many sessions it saw end.
    fn settle(&mut self) -> usize {
        let mut turns = 0;
        loop {
            match self.work().unwrap() {
                Progress::Idle(_) => {
                    self.shown = self.pair.session(Side::B);
                    return turns;
                }
                Progress::More => {}
                Progress::Turned => {
                    turns += 1;
                    self.shown = self.pair.session(Side::B);
                }
            }
        }
    }

    fn close_a(&mut self) {
        let sent = self.a.queue.end(&mut self.a.ram).unwrap();
        self.pair.close(Side::A, sent, 0);
    }

    fn close_b(&mut self) {
        let waiting = self.a.queue.end(&mut self.a.ram).unwrap();
        self.pair.close(Side::B, 0, waiting);
    }

    fn got(&mut self) -> Vec<u8> {
        std::iter::from_fn(|| self.b.got()).flatten().collect()
    }
}

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

#[test]
fn each_driver_has_its_own_faults() {
    let mut bed = Bed::open();
    bed.a.send(b"x");
    let head = bed.b.driver.give(&mut bed.b.ram, &[(START + 0x1_0000, 8)], 1);
    assert_eq!(head, 0);
    let narrow = Fault::Narrow { what: "a port's bytes", length: 0, least: 1 };
    assert_eq!(bed.work(), Err(Broken { side: Side::B, fault: narrow }));
    let mut bed = Bed::open();
    bed.b.room(10);
    bed.a.driver.offer(&mut bed.a.ram, 99);
    let outside = Fault::HeadOutside { head: 99, size: 32 };
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: outside }));
    // A chain that is shorter than what was sent of it.
    let mut bed = Bed::open();
    bed.b.room(8);
    bed.a.send(b"0123456789");
    bed.settle();
    bed.a.driver.set(&mut bed.a.ram, 0, (START + 0x1_0000, 3), 0, 0);
    bed.b.room(8);
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: Fault::Changed { head: 0 } }));
    // Exactly as short: there would be nothing to pass on.
    let mut bed = Bed::open();
    bed.b.room(8);
    bed.a.send(b"0123456789");
    bed.settle();
    bed.a.driver.set(&mut bed.a.ram, 0, (START + 0x1_0000, 8), 0, 0);
    bed.b.room(8);
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: Fault::Changed { head: 0 } }));
    assert_eq!(bed.got(), b"01234567");
}

#[test]
fn a_chain_of_no_bytes_is_no_end_of_file() {
    let mut bed = Bed::open();
    bed.b.room(8);
    let before = bed.b.queue.save();
    bed.a.driver.give(&mut bed.a.ram, &[(START + 0x1_0000, 8)], 0);
    let short = Fault::Short { what: "a port's bytes", length: 0, least: 1 };
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: short }));
    assert_eq!((bed.b.queue.save(), bed.b.got()), (before, None));
}

#[test]
fn whoever_is_not_at_fault_keeps_its_buffer() {
    // The writer's RAM ends in front of its used ring, so that what it sent cannot be given back.
    let mut bed = Bed::open();
    bed.a.send(b"abc");
    bed.b.room(8);
    let layout = Layout { used: START + 0xf_0000, ..bed.a.driver.layout };
    bed.a.queue = Queue::new(layout, Features::default(), &bed.a.ram).unwrap();
    bed.a.ram.bytes.truncate(0xf_0000);
    let before = bed.b.queue.save();
    assert!(matches!(bed.work(), Err(Broken { side: Side::A, fault: Fault::OutOfReach(_) })));
    assert_eq!((bed.b.queue.save(), bed.b.queue.available(&mut bed.b.ram)), (before, Ok(1)));
    // Another writer gets it.
    bed.pair.vanish(Side::A, 0);
    bed.a = Line::new();
    bed.pair.open(Side::A);
    bed.a.send(b"next");
    bed.settle();
    bed.settle();
    assert_eq!(bed.got(), b"next");
}

#[test]
fn hostile_chains_do_not_make_a_piece_of_work_long() {
    const SHORT: usize = 16;
    // Buffers that never end where the other's do: as many pieces as there can be.
    for (from, to) in
        [(vec![1; MAX_CHAIN], vec![1; MAX_CHAIN]), (vec![2; MAX_CHAIN], [vec![1], vec![2; MAX_CHAIN - 1]].concat())]
    {
        let mut bed = Bed::new();
        let all = Features { indirect: true, event_index: true };
        for line in [&mut bed.a, &mut bed.b] {
            line.queue = Queue::new(line.driver.layout, all, &line.ram).unwrap();
        }
        bed.pair.open(Side::A);
        bed.pair.open(Side::B);
        bed.shown = bed.pair.session(Side::B);
        for (line, lengths, readable) in [(&mut bed.a, &from, MAX_CHAIN), (&mut bed.b, &to, 0)] {
            // Short ones first, so that the long ones come late in a piece of work.
            for _ in 0..SHORT {
                line.driver.give(&mut line.ram, &[(START + 0x1_0000, 1)], usize::from(readable > 0));
            }
            let parts = buffers(START + 0x1_0000, lengths);
            (SHORT..32).for_each(|_| _ = line.driver.give_indirect(&mut line.ram, START + 0x2000, &parts, readable));
        }
        let mut pieces = 0;
        loop {
            (bed.a.ram.steps, bed.b.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
            let progress = bed.work().unwrap();
            let price = price(&mut bed.a.ram.steps) + price(&mut bed.b.ram.steps);
            assert!(price <= INSTRUCTIONS, "{price}");
            pieces += 1;
            if matches!(progress, Progress::Idle(_)) {
                break;
            }
        }
        assert!((32 - SHORT..=70).contains(&pieces), "{pieces}");
        assert_eq!(bed.b.queue.position(), 32, "each buffer was filled");
    }
}
