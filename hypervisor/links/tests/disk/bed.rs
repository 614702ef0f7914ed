//! A VM with a disk.

use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::{Chain, Features, Queue};

pub const DATA: u64 = START + 0x4_0000;
/// Bytes that belong to one request.
pub const ROOM: u64 = 0x1_0000;

pub const IN: u32 = 0;
pub const OUT: u32 = 1;
pub const FLUSH: u32 = 4;
pub const GET_ID: u32 = 8;
pub const DISCARD: u32 = 11;
pub const WRITE_ZEROES: u32 = 13;

pub const OK: u8 = 0;
pub const IOERR: u8 = 1;
pub const UNSUPP: u8 = 2;

/// The memory, the queue, and what the driver has of its requests.
pub struct Vm {
    pub ram: Ram,
    pub driver: Driver,
    pub queue: Queue,
    pub chain: Chain,
    /// Where each request has its data, by the head of its chain.
    places: Vec<(u16, u64, usize)>,
    count: u64,
}

impl Vm {
    pub fn new() -> Self {
        let (ram, driver) = (Ram::new(2 << 20), Driver::new(START, 128));
        let features = Features { indirect: true, event_index: true };
        let queue = Queue::new(driver.layout, features, &ram).unwrap();
        Self { ram, driver, queue, chain: Chain::new(), places: Vec::new(), count: 0 }
    }

    /// Whether the memory of the next request is no other one's.
    pub fn is_free(&self) -> bool {
        self.places.iter().all(|(_, at, _)| *at != DATA + (self.count % 24) * ROOM)
    }

    /// Makes a request: its data in pieces of `piece` bytes at the most. Returns the head of its chain.
    pub fn request(&mut self, kind: u32, sector: u64, data: &[u8], room: usize, piece: usize) -> u16 {
        let at = DATA + (self.count % 24) * ROOM;
        let table = START + 0x2000 + (self.count % 24) * 0x1000;
        self.count += 1;
        let header = [&kind.to_le_bytes()[..], &[0; 4], &sector.to_le_bytes()].concat();
        self.ram.put(at, &header);
        self.ram.put(at + 32, data);
        self.ram.put(at + 32 + data.len() as u64, &vec![0xdd; room]);
        self.ram.put(at + 16, &[0xee]);
        let mut buffers = vec![(at, 16)];
        let mut cut = |from: u64, length: usize| {
            let pieces = (0..length).step_by(piece.max(1));
            pieces.for_each(|i| buffers.push((from + i as u64, piece.min(length - i) as u32)));
        };
        cut(at + 32, data.len());
        cut(at + 32 + data.len() as u64, room);
        let readable = 1 + data.len().div_ceil(piece.max(1));
        buffers.push((at + 16, 1));
        let head = self.driver.give_indirect(&mut self.ram, table, &buffers, readable);
        self.places.retain(|(other, ..)| *other != head);
        self.places.push((head, at, data.len()));
        head
    }

    /// The next answer: head, status, data that was written.
    pub fn answer(&mut self) -> Option<(u16, u8, Vec<u8>)> {
        let (head, written) = self.driver.used(&self.ram)?;
        let place = self.places.iter().position(|(other, ..)| *other == head).unwrap();
        let (_, at, sent) = self.places.swap_remove(place);
        let data = self.ram.at(at + 32 + sent as u64, written as usize - 1).to_vec();
        Some((head, self.ram.at(at + 16, 1)[0], data))
    }
}

/// A range that is discarded or zeroed.
pub fn range(sector: u64, sectors: u32, flags: u32) -> Vec<u8> {
    [&sector.to_le_bytes()[..], &sectors.to_le_bytes(), &flags.to_le_bytes()].concat()
}

/// Bytes of which no two sectors are the same.
pub fn pattern(length: usize) -> Vec<u8> {
    let mut bytes = (0..251).collect::<Vec<u8>>().repeat(length.div_ceil(251));
    bytes.truncate(length);
    bytes
}
