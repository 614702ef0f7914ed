//! Queues that are saved at any point of random work, and restored: what is in flight arrives once.

use std::collections::VecDeque;

use fastrand::Rng;
use portcullis_virtio::fake::{Driver, NEXT, Ram, START, WRITE};
use portcullis_virtio::{Chain, Features, Queue};

/// Bytes of a guest's memory; behind the rings, a table of descriptors for each chain and its buffers.
const SIZE: usize = 1 << 17;
const TABLES: u64 = START + 0x8000;
const DATA: u64 = START + 0x1_0000;

/// A driver that keeps to the specification, and its device, which gives chains back in any order.
struct Pair {
    ram: Ram,
    driver: Driver,
    queue: Queue,
    features: Features,
    /// Numbers of descriptors that no chain has.
    free: VecDeque<u16>,
    /// By the number of its first descriptor: the descriptors of a chain that was made available.
    given: Vec<Option<Vec<u16>>>,
    /// What has to come for a chain, once the device has given it back.
    expected: VecDeque<(u16, u32)>,
    /// The chains that the device has, and how many bytes each has room for.
    held: Vec<(u16, u32)>,
    /// What the driver or the device came to, in order.
    seen: Vec<(u64, u64)>,
}

impl Pair {
    fn new(size: u16, features: Features) -> Self {
        let (ram, driver) = (Ram::new(SIZE), Driver::new(START, size));
        let queue = Queue::new(driver.layout, features, &ram).unwrap();
        let (given, free) = (vec![None; usize::from(size)], (0..size).collect());
        let (expected, held, seen) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { ram, driver, queue, features, free, given, expected, held, seen }
    }

    /// Another one with the same driver, whose device has this queue.
    fn moved(&self, queue: Queue) -> Self {
        let mut ram = Ram::new(SIZE);
        ram.bytes.copy_from_slice(&self.ram.bytes);
        let Self { driver, features, free, given, expected, held, seen, .. } = self;
        Self {
            ram,
            driver: driver.clone(),
            queue,
            features: *features,
            free: free.clone(),
            given: given.clone(),
            expected: expected.clone(),
            held: held.clone(),
            seen: seen.clone(),
        }
    }

    /// The driver makes a chain available, if it has room for it.
    fn give(&mut self, random: &mut Rng) {
        let length = 1 + random.u64(..4) as u16;
        let readable = random.u64(..u64::from(length) + 1) as u16;
        let is_indirect = self.features.indirect && random.u64(..2) == 0;
        let needed = if is_indirect { 1 } else { length };
        if self.free.len() < usize::from(needed) {
            return;
        }
        let chain: Vec<u16> = self.free.drain(..usize::from(needed)).collect();
        let head = chain[0];
        let buffer = |number: u16| (DATA + 0x200 * u64::from(head) + 0x80 * u64::from(number), 1 + u32::from(number));
        let flags =
            |number: u16| (if number + 1 < length { NEXT } else { 0 }) | if number < readable { 0 } else { WRITE };
        if is_indirect {
            let buffers: Vec<_> = (0..length).map(buffer).collect();
            self.driver.free = head;
            self.driver.give_indirect(&mut self.ram, TABLES + 0x80 * u64::from(head), &buffers, readable.into());
        } else {
            for (number, descriptor) in (0..length).zip(&chain) {
                let next = chain.get(usize::from(number) + 1).copied().unwrap_or_default();
                self.driver.set(&mut self.ram, *descriptor, buffer(number), flags(number), next);
            }
            self.driver.offer(&mut self.ram, head);
        }
        assert!(self.given[usize::from(head)].replace(chain).is_none());
    }

    /// The device takes a chain.
    fn take(&mut self) {
        let mut chain = Chain::new();
        let took = self.queue.take(&mut self.ram, &mut chain).unwrap();
        if took {
            self.held.push((chain.head(), chain.writable()));
        }
        self.seen.push((1, u64::from(took)));
    }

    /// The device is done with a chain, or with one that it only looks at.
    fn put(&mut self, random: &mut Rng) {
        if !self.held.is_empty() {
            let (head, room) = self.held.swap_remove(random.u64(..self.held.len() as u64) as usize);
            let written = random.u64(..u64::from(room) + 1) as u32;
            self.queue.put(&mut self.ram, head, written).unwrap();
            self.expected.push_back((head, written));
        } else if let Some(only) = self.queue.only(&mut self.ram) {
            let (head, written) = (self.ram.half(self.next_entry()), 7);
            self.queue.pass(&mut self.ram, only, written).unwrap();
            self.expected.push_back((head, written));
        }
    }

    /// Where the available ring has the chain that the device takes next.
    fn next_entry(&self) -> u64 {
        let layout = &self.driver.layout;
        layout.available + 4 + 2 * u64::from(self.queue.position() % layout.size)
    }

    /// The driver looks at what came back: in the order in which it was given back, each once.
    fn used(&mut self) {
        while let Some(back) = self.driver.used(&self.ram) {
            assert_eq!(Some(back), self.expected.pop_front());
            self.free.extend(self.given[usize::from(back.0)].take().expect("the driver has given it"));
        }
    }

    fn step(&mut self, random: &mut Rng) {
        match random.u64(..10) {
            0..=2 => self.give(random),
            3 | 4 => self.take(),
            5 | 6 => self.put(random),
            7 => {
                let interrupts = self.queue.publish(&mut self.ram).unwrap();
                self.seen.push((2, interrupts.into()));
                if random.u64(..2) == 0 {
                    self.used();
                }
            }
            8 if random.u64(..2) == 0 => self.queue.silence(&mut self.ram).unwrap(),
            8 => {
                let more = self.queue.listen(&mut self.ram).unwrap();
                self.seen.push((3, more.into()));
            }
            _ if self.features.event_index => {
                let event = self.driver.seen.wrapping_add(random.u64(..4) as u16);
                self.driver.set_used_event(&mut self.ram, event);
            }
            _ => self.driver.set_interrupts(&mut self.ram, random.u64(..2) == 0),
        }
    }

    /// All that is in flight comes to its end.
    fn settle(&mut self, random: &mut Rng) {
        loop {
            let before = self.held.len();
            self.take();
            if self.held.len() == before {
                break;
            }
        }
        while !self.held.is_empty() {
            self.put(random);
        }
        self.queue.publish(&mut self.ram).unwrap();
        self.used();
        assert!(self.given.iter().all(Option::is_none) && self.expected.is_empty(), "nothing is lost");
        assert_eq!(self.free.len(), self.given.len());
    }
}

#[test]
fn a_queue_that_was_saved_goes_on_as_if_it_had_not_been() {
    let (mut in_flight, mut unpublished, mut silent) = (0, 0, 0);
    for seed in 0..if cfg!(miri) { 8 } else { 4000_u64 } {
        let random = &mut Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let features = Features { indirect: seed & 1 != 0, event_index: seed & 2 != 0 };
        let mut pair = Pair::new(1 << random.u64(..6), features);
        // Its indices come round in some.
        if random.u64(..4) == 0 {
            let start = u16::MAX - random.u64(..40) as u16;
            let state = portcullis_abi::state::Virtqueue {
                next: start.into(),
                used: start.into(),
                published: start.into(),
                ..pair.queue.save()
            };
            pair.queue = Queue::restore(pair.driver.layout, features, &pair.ram, &state).unwrap();
            (pair.driver.next, pair.driver.seen) = (start, start);
            pair.ram.put(pair.driver.layout.available + 2, &start.to_le_bytes());
            pair.ram.put(pair.driver.layout.used + 2, &start.to_le_bytes());
        }
        (0..random.u64(..150)).for_each(|_| pair.step(random));
        let state = pair.queue.save();
        let mut moved = pair.moved(Queue::restore(pair.driver.layout, features, &pair.ram, &state).unwrap());
        assert_eq!(moved.queue.save(), state, "{seed}");
        in_flight += u32::from(!pair.held.is_empty());
        unpublished += u32::from(state.used != state.published);
        silent += state.silent;
        // Both go on with the same work, and come to the same.
        let twin = &mut random.clone();
        for _ in 0..100 {
            pair.step(random);
            moved.step(twin);
        }
        assert!(moved.seen == pair.seen && moved.ram.bytes == pair.ram.bytes, "{seed}");
        assert_eq!(moved.queue.save(), pair.queue.save(), "{seed}");
        moved.settle(twin);
    }
    if !cfg!(miri) {
        assert!(
            [in_flight, unpublished, silent].iter().all(|states| *states > 400),
            "{in_flight} {unpublished} {silent}"
        );
    }
}
