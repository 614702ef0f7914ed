//! Two VMs with a queue each, and frames between them.

use portcullis_links::network::{Dropped, Frame, Given, Stage, deliver};
use portcullis_virtio::fake::{Driver, Ram, START, buffers};
use portcullis_virtio::{Budget, Chain, Fault, Features, Queue};

pub const DATA: u64 = START + 0x2_0000;
pub const ALL: Features = Features { indirect: true, event_index: true };
pub const MTU: u16 = 1500;

/// The addresses of the two.
pub const A: [u8; 6] = [2, 0, 0, 0, 0, 0xa];
pub const B: [u8; 6] = [2, 0, 0, 0, 0, 0xb];

/// A VM with one queue.
pub struct Vm {
    pub ram: Ram,
    pub driver: Driver,
    pub queue: Queue,
    pub chain: Chain,
}

impl Vm {
    pub fn new() -> Self {
        let (ram, driver) = (Ram::new(1 << 20), Driver::new(START, 256));
        let queue = Queue::new(driver.layout, ALL, &ram).unwrap();
        Self { ram, driver, queue, chain: Chain::new() }
    }

    /// Gives bytes to read, in buffers of these lengths and one with the rest.
    pub fn send(&mut self, bytes: &[u8], lengths: &[u32]) {
        let mut left = bytes.len() as u32;
        let mut parts: Vec<u32> = Vec::new();
        for length in lengths.iter().filter(|length| **length > 0) {
            let length = (*length).min(left);
            if length > 0 {
                parts.push(length);
                left -= length;
            }
        }
        if left > 0 {
            parts.push(left);
        }
        let parts = buffers(DATA, &parts);
        let mut rest = bytes;
        for (address, length) in &parts {
            let (now, later) = rest.split_at(*length as usize);
            self.ram.put(*address, now);
            rest = later;
        }
        self.driver.give_indirect(&mut self.ram, START + 0x1_0000, &parts, parts.len());
    }

    /// Gives buffers to write to, a chain for each list of lengths. Returns where they are.
    pub fn listen(&mut self, chains: &[&[u32]]) -> Vec<Vec<(u64, u32)>> {
        let mut at = DATA;
        let mut given = Vec::new();
        for lengths in chains {
            let parts = buffers(at, lengths);
            self.driver.give(&mut self.ram, &parts, 0);
            at = parts.last().map_or(at, |(address, length)| address + u64::from(*length)) + 64;
            given.push(parts);
        }
        given
    }

    /// The bytes of a chain.
    pub fn bytes(&self, parts: &[(u64, u32)], length: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> =
            parts.iter().flat_map(|(address, length)| self.ram.at(*address, *length as usize).to_vec()).collect();
        bytes.truncate(length);
        bytes
    }
}

/// A frame from A to B: a virtio header, addresses, a type, and bytes that count.
pub fn frame(header: [u8; 12], length: usize) -> Vec<u8> {
    let mut bytes = header.to_vec();
    bytes.extend(B.iter().chain(&A).chain(&[8, 0]));
    bytes.extend((0..length.saturating_sub(14)).map(|i| (i * 7) as u8));
    bytes.truncate(12 + length);
    bytes
}

/// The next frame of one goes to the other. What is wrong on the sender's side is a panic.
pub fn pass(from: &mut Vm, sends: u64, to: &mut Vm, takes: u64) -> Result<Result<(), Dropped>, Fault> {
    let mut budget = Budget::new();
    assert!(from.queue.take(&mut from.ram, &mut from.chain).unwrap());
    budget.chain(&from.chain);
    let passed = match Frame::read(&mut from.ram, &from.chain, &mut Stage::new(), sends, MTU).unwrap() {
        Ok(frame) => {
            let given = deliver(&frame, &mut from.ram, &mut to.queue, &mut to.ram, &mut to.chain, takes, &mut budget);
            given.map(|given| match given {
                Given::Done => Ok(()),
                Given::Dropped(reason) => Err(reason),
                Given::Later => panic!("it has a piece of work of its own"),
            })
        }
        Err(reason) => Ok(Err(reason)),
    };
    from.queue.put(&mut from.ram, from.chain.head(), 0).unwrap();
    from.queue.publish(&mut from.ram).unwrap();
    if passed.is_ok() {
        to.queue.publish(&mut to.ram).unwrap();
    }
    passed
}
