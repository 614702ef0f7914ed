//! A disk in memory.

use portcullis_links::disk::{Geometry, Local, Progress, Region};
use portcullis_virtio::fake::{Driver, INSTRUCTIONS, Ram, START, WRITE, price};
use portcullis_virtio::{Budget, Chain, Fault, Features, MAX_CHAIN, Queue};

use crate::bed::*;

const SIZE: usize = 64 << 10;

struct Bed {
    vm: Vm,
    disk: Local,
    region: Region<Ram>,
    /// Pieces of work.
    pieces: usize,
}

impl Bed {
    fn new(block: u32, read_only: bool) -> Self {
        let disk = Local::new(Geometry::new("disk.test", SIZE as u64, block, read_only).unwrap());
        let mut memory = Ram::new(SIZE + 0x2000);
        memory.bytes = pattern(memory.bytes.len());
        Self { vm: Vm::new(), disk, region: Region { memory, start: START + 0x1000 }, pieces: 0 }
    }

    fn store(&self) -> &[u8] {
        self.region.memory.at(self.region.start, SIZE)
    }

    fn work(&mut self) -> Result<Progress, Fault> {
        let Self { vm, disk, region, .. } = self;
        let done = disk.work(&mut vm.queue, &mut vm.ram, region, &mut Budget::new());
        vm.queue.publish(&mut vm.ram).unwrap();
        self.pieces += 1;
        done
    }

    /// What becomes of one request.
    fn one(&mut self, kind: u32, sector: u64, data: &[u8], room: usize) -> (u8, Vec<u8>) {
        let head = self.vm.request(kind, sector, data, room, 700);
        self.pieces = 0;
        while self.work().unwrap() == Progress::More {}
        let (other, status, data) = self.vm.answer().unwrap();
        assert_eq!((other, self.vm.answer()), (head, None));
        (status, data)
    }
}

#[test]
fn what_was_written_is_read() {
    let mut bed = Bed::new(512, false);
    let before = bed.store().to_vec();
    assert_eq!(bed.one(IN, 3, &[], 1024), (OK, before[3 * 512..5 * 512].to_vec()));
    let text: Vec<u8> = (0..1536).map(|i| (i * 5) as u8).collect();
    assert_eq!(bed.one(OUT, 7, &text, 0), (OK, vec![]));
    assert_eq!(bed.one(IN, 7, &[], 1536), (OK, text));
    assert_eq!(bed.store()[10 * 512..], before[10 * 512..]);
    assert_eq!(bed.one(FLUSH, 0, &[], 0), (OK, vec![]));
}

#[test]
fn a_long_request_is_done_in_pieces() {
    let mut bed = Bed::new(512, false);
    let all = bed.store().to_vec();
    let room = ROOM as usize - 64;
    let length = room / 512 * 512;
    assert_eq!(bed.one(IN, 0, &[], length), (OK, all[..length].to_vec()));
    assert_eq!(bed.pieces, length.div_ceil(Budget::BYTES as usize), "none of them finds nothing");
    assert_eq!(bed.one(WRITE_ZEROES, 0, &range(0, 128, 1), 0), (OK, vec![]));
    assert_eq!(bed.pieces, SIZE.div_ceil(Budget::BYTES as usize));
    assert!(bed.store().iter().all(|byte| *byte == 0));
    let outside = &bed.region.memory.bytes;
    assert!(outside[..0x1000].iter().chain(&outside[0x1000 + SIZE..]).any(|byte| *byte != 0));
}

#[test]
fn many_requests_are_done_in_pieces() {
    let mut bed = Bed::new(512, false);
    (0..20).for_each(|i| _ = bed.vm.request(IN, i, &[], 512, 512));
    assert_eq!(bed.work(), Ok(Progress::Idle));
    // Three descriptors each: a header, the data, the status.
    let at_once = 1 + (Budget::STEPS as usize - MAX_CHAIN - 3) / (3 + Budget::CHAIN as usize);
    for _ in 0..at_once + 1 {
        bed.vm.request(GET_ID, 0, &[], 20, 20);
    }
    assert_eq!(bed.work(), Ok(Progress::More));
    assert_eq!(std::iter::from_fn(|| bed.vm.driver.used(&bed.vm.ram)).count(), 20 + at_once);
    assert_eq!((bed.work(), bed.vm.driver.used(&bed.vm.ram).is_some()), (Ok(Progress::Idle), true));
}

#[test]
fn its_name_is_read() {
    let mut bed = Bed::new(512, true);
    let mut name = b"disk.test".to_vec();
    name.resize(20, 0);
    assert_eq!(bed.one(GET_ID, 0, &[], 20), (OK, name.clone()));
    assert_eq!(bed.one(GET_ID, 0, &[], 64), (OK, name));
    assert_eq!(bed.one(GET_ID, 0, &[], 19), (IOERR, vec![]));
}

#[test]
fn what_cannot_be_is_an_error_and_changes_nothing() {
    let last = SIZE as u64 / 512;
    let wrong: &[(u32, u64, Vec<u8>, usize, u8)] = &[
        (IN, last, vec![], 512, IOERR),
        (IN, last - 1, vec![], 1024, IOERR),
        (IN, u64::MAX, vec![], 512, IOERR),
        (IN, u64::MAX / 512, vec![], 512, IOERR),
        (IN, 1 << 55, vec![], 512, IOERR),
        (IN, 0, vec![], 511, IOERR),
        (IN, 0, vec![], 513, IOERR),
        (OUT, last, vec![1; 512], 0, IOERR),
        (OUT, 0, vec![1; 100], 0, IOERR),
        (OUT, last - 1, vec![1; 1024], 0, IOERR),
        (DISCARD, 0, range(0, 1, 0)[..15].to_vec(), 0, IOERR),
        (DISCARD, 0, [range(0, 1, 0), range(2, 1, 0)].concat(), 0, IOERR),
        (DISCARD, 0, range(0, 1, 1), 0, UNSUPP),
        (DISCARD, 0, range(last, 1, 0), 0, IOERR),
        (WRITE_ZEROES, 0, range(0, 1, 2), 0, UNSUPP),
        (WRITE_ZEROES, 0, range(last - 1, 2, 0), 0, IOERR),
        (WRITE_ZEROES, 0, range(0, u32::MAX, 0), 0, IOERR),
        (WRITE_ZEROES, 0, range(u64::MAX, 1, 0), 0, IOERR),
        (2, 0, vec![], 512, UNSUPP),
        (14, 0, range(0, 1, 0), 0, UNSUPP),
        (u32::MAX, 0, vec![1; 512], 0, UNSUPP),
    ];
    let mut bed = Bed::new(512, false);
    let before = bed.store().to_vec();
    for (kind, sector, data, room, status) in wrong {
        assert_eq!(bed.one(*kind, *sector, data, *room), (*status, vec![]), "{kind} at {sector}");
    }
    assert_eq!(bed.store(), before);
    let mut bed = Bed::new(512, true);
    for (kind, data) in [(OUT, vec![1; 512]), (DISCARD, range(0, 1, 0)), (WRITE_ZEROES, range(0, 1, 0))] {
        assert_eq!(bed.one(kind, 0, &data, 0), (IOERR, vec![]), "{kind} of what is read-only");
    }
    assert_eq!(bed.store(), before);
    let mut bed = Bed::new(4096, false);
    assert_eq!(bed.one(IN, 0, &[], 512), (IOERR, vec![]), "less than a block");
    assert_eq!(bed.one(IN, 1, &[], 4096), (IOERR, vec![]), "not from a block on");
    assert_eq!(bed.one(IN, 8, &[], 4096), (OK, before[4096..8192].to_vec()));
}

#[test]
fn nothing_and_a_discard_change_nothing() {
    let mut bed = Bed::new(512, false);
    let before = bed.store().to_vec();
    for (kind, data) in [(OUT, vec![]), (IN, vec![]), (WRITE_ZEROES, range(5, 0, 0)), (DISCARD, range(5, 9, 0))] {
        assert_eq!(bed.one(kind, 0, &data, 0), (OK, vec![]));
    }
    assert_eq!(bed.store(), before);
}

#[test]
fn half_a_request_is_a_fault() {
    let fault = |buffers: &[(u64, u32)], readable| {
        let mut bed = Bed::new(512, false);
        bed.vm.driver.give(&mut bed.vm.ram, buffers, readable);
        bed.work()
    };
    let short = Fault::Short { what: "a request's header", length: 15, least: 16 };
    assert_eq!(fault(&[(DATA, 15), (DATA, 1)], 1), Err(short));
    assert_eq!(fault(&[(DATA, 16)], 1), Err(Fault::Narrow { what: "a request's status", length: 0, least: 1 }));
}

#[test]
fn a_request_that_was_under_way_is_done_after_a_restore() {
    let mut bed = Bed::new(512, false);
    let length = 48 << 10;
    let text: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
    let head = bed.vm.request(OUT, 0, &text, 0, 4096);
    assert_eq!(bed.work(), Ok(Progress::More));
    assert_eq!(bed.vm.queue.taken().collect::<Vec<_>>(), [head]);
    let mut other = Local::new(*bed.disk.geometry());
    other.resume();
    bed.disk = other;
    while bed.work().unwrap() == Progress::More {}
    assert_eq!((bed.vm.answer(), &bed.store()[..length]), (Some((head, OK, vec![])), text.as_slice()));
    // A driver that begins anew has no request any more.
    bed.vm.request(OUT, 0, &text, 0, 4096);
    assert_eq!(bed.work(), Ok(Progress::More));
    bed.disk.reset();
    assert_eq!((bed.work(), bed.vm.answer()), (Ok(Progress::Idle), None));
    bed.vm = Vm::new();
    bed.disk.resume();
    assert_eq!((bed.work(), bed.vm.answer()), (Ok(Progress::Idle), None), "nothing was under way");
}

#[test]
fn all_requests_that_were_taken_are_done_after_a_restore() {
    // One disk takes one at a time; what is restored may have as many as the queue.
    let mut bed = Bed::new(512, false);
    let heads: Vec<u16> = (0..20).map(|i| bed.vm.request(IN, i * 3, &[], 512, 4)).collect();
    let mut chain = Chain::new();
    (0..19).for_each(|_| assert_eq!(bed.vm.queue.take(&mut bed.vm.ram, &mut chain), Ok(true)));
    let state = bed.vm.queue.save();
    bed.vm.queue =
        Queue::restore(bed.vm.driver.layout, Features { indirect: true, event_index: true }, &bed.vm.ram, &state)
            .unwrap();
    bed.disk.resume();
    let mut pieces = 1;
    bed.vm.ram.steps = Some(Vec::new());
    while bed.work().unwrap() == Progress::More {
        assert!(price(&mut bed.vm.ram.steps) <= INSTRUCTIONS, "a piece of long chains is no longer than another");
        bed.vm.ram.steps = Some(Vec::new());
        pieces += 1;
    }
    assert!(pieces > 5);
    let mut answers: Vec<(u16, u8)> =
        std::iter::from_fn(|| bed.vm.answer()).map(|answer| (answer.0, answer.1)).collect();
    answers.sort();
    assert_eq!(answers, heads.iter().map(|head| (*head, OK)).collect::<Vec<_>>());
    assert_eq!(bed.vm.queue.taken().count(), 0);
}

#[test]
fn what_was_judged_is_what_is_done() {
    // The driver turns the chain of a long read into one that writes elsewhere; the disk goes on with its copy.
    let mut bed = Bed::new(512, false);
    let all = bed.store().to_vec();
    let length = 48 << 10;
    let head = bed.vm.request(IN, 0, &[], length, 4096);
    assert_eq!(bed.work(), Ok(Progress::More));
    for number in 0..14 {
        Driver::describe(&mut bed.vm.ram, START + 0x2000, number, (START, 1), WRITE, 0);
    }
    while bed.work().unwrap() == Progress::More {}
    assert_eq!(bed.vm.answer(), Some((head, OK, all[..length].to_vec())));
}

#[test]
fn geometries_that_cannot_be() {
    for (name, size, block) in [
        ("a", 0, 512),
        ("a", 511, 512),
        ("a", 513, 512),
        ("a", 4096, 1024),
        ("a", 4096 + 512, 4096),
        ("a", 4096, 0),
        ("a name that is too long", 512, 512),
    ] {
        assert_eq!(Geometry::new(name, size, block, false), None, "{name} {size} {block}");
    }
    let config = Geometry::new("a", 1 << 40, 4096, false).unwrap().config();
    let word = |at: usize| u32::from_le_bytes(config[at..at + 4].try_into().unwrap());
    assert_eq!((word(0), word(4), word(12), word(20)), (1 << 31, 0, 126, 4096));
    assert_eq!([36, 40, 44, 48, 52].map(word), [131_072, 1, 8, 131_072, 1]);
    assert_eq!(config[56], 1);
}
