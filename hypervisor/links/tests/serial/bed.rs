//! A queue with its driver.

use portcullis_links::serial::Flow;
use portcullis_virtio::fake::{Driver, Ram, START, buffers};
use portcullis_virtio::{Chain, Features, Queue};

pub const DATA: u64 = START + 0x1_0000;

pub struct Line {
    pub ram: Ram,
    pub driver: Driver,
    pub queue: Queue,
    pub chain: Chain,
    /// Buffers that were given, in their order, and from which one on they are to be looked at.
    given: Vec<Vec<(u64, u32)>>,
    seen: usize,
}

impl Line {
    pub fn new() -> Self {
        let (ram, driver) = (Ram::new(1 << 20), Driver::new(START, 32));
        let queue = Queue::new(driver.layout, Features::default(), &ram).unwrap();
        Self { ram, driver, queue, chain: Chain::new(), given: Vec::new(), seen: 0 }
    }

    pub fn flow(&mut self) -> Flow<'_, Ram> {
        Flow { queue: &mut self.queue, memory: &mut self.ram, chain: &mut self.chain }
    }

    fn place(&self) -> u64 {
        DATA + (self.given.len() as u64 % 28) * 0x8000
    }

    /// Sends bytes in one chain.
    pub fn send(&mut self, bytes: &[u8]) {
        let at = self.place();
        let half = bytes.len() / 2;
        let parts: Vec<u32> = [half, bytes.len() - half].iter().map(|n| *n as u32).filter(|n| *n > 0).collect();
        let parts = buffers(at, &parts);
        let mut rest = bytes;
        for (address, length) in &parts {
            let (now, later) = rest.split_at(*length as usize);
            self.ram.put(*address, now);
            rest = later;
        }
        self.driver.give(&mut self.ram, &parts, parts.len());
        self.given.push(parts);
    }

    /// Gives a buffer.
    pub fn room(&mut self, length: u32) {
        let parts = vec![(self.place(), length)];
        self.driver.give(&mut self.ram, &parts, 0);
        self.given.push(parts);
    }

    /// What has come in the next buffer.
    pub fn got(&mut self) -> Option<Vec<u8>> {
        self.queue.publish(&mut self.ram).unwrap();
        let (_, written) = self.driver.used(&self.ram)?;
        let parts = &self.given[self.seen];
        self.seen += 1;
        Some(self.ram.at(parts[0].0, written as usize).to_vec())
    }

    /// How many chains have come back.
    pub fn back(&mut self) -> usize {
        self.queue.publish(&mut self.ram).unwrap();
        std::iter::from_fn(|| self.driver.used(&self.ram)).count()
    }
}
