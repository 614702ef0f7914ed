//! The driver's side of a split virtqueue.

use crate::{Layout, Segment};

use super::ram::Ram;

/// A descriptor has a next one.
pub const NEXT: u16 = 1;
/// The device writes to a descriptor's buffer.
pub const WRITE: u16 = 2;
/// A descriptor's buffer is a table.
pub const INDIRECT: u16 = 4;

/// A driver that fills a queue. Descriptors are taken one after the other, round and round: who has more under way than the table
/// has room for overwrites some.
#[derive(Clone, Debug)]
pub struct Driver {
    /// Where the queue is.
    pub layout: Layout,
    /// Number of the descriptor that is filled next.
    pub free: u16,
    /// Index of the available ring that is written next.
    pub next: u16,
    /// Index of the used ring that is read next.
    pub seen: u16,
}

impl Driver {
    /// A driver of a queue of `size` with its parts one behind the other at `address`, a multiple of 16.
    pub const fn new(address: u64, size: u16) -> Self {
        let descriptors = address;
        let available = descriptors + 16 * size as u64;
        let used = (available + 6 + 2 * size as u64).next_multiple_of(4);
        let layout = Layout { size, descriptors, available, used };
        Self { layout, free: 0, next: 0, seen: 0 }
    }

    /// Bytes behind the address that such a queue takes.
    pub const fn bytes(size: u16) -> u64 {
        let driver = Self::new(0, size);
        driver.layout.used + 6 + 8 * size as u64
    }

    /// Writes descriptor `number` of the table at `table`.
    pub fn describe(ram: &mut Ram, table: u64, number: u16, buffer: (u64, u32), flags: u16, next: u16) {
        let word =
            u128::from(buffer.0) | u128::from(buffer.1) << 64 | u128::from(flags) << 96 | u128::from(next) << 112;
        ram.put(table + 16 * u64::from(number), &word.to_le_bytes());
    }

    /// Writes descriptor `number` of the queue's own table.
    pub fn set(&self, ram: &mut Ram, number: u16, buffer: (u64, u32), flags: u16, next: u16) {
        Self::describe(ram, self.layout.descriptors, number, buffer, flags, next);
    }

    /// Names a chain in the available ring, and shows it.
    pub fn offer(&mut self, ram: &mut Ram, head: u16) {
        let place = u64::from(self.next % self.layout.size);
        ram.put(self.layout.available + 4 + 2 * place, &head.to_le_bytes());
        self.next = self.next.wrapping_add(1);
        ram.put(self.layout.available + 2, &self.next.to_le_bytes());
    }

    /// Makes a chain of buffers, of which the first `readable` are read by the device, available. Returns its head.
    pub fn give(&mut self, ram: &mut Ram, buffers: &[(u64, u32)], readable: usize) -> u16 {
        let (head, size) = (self.free, self.layout.size);
        for (number, buffer) in buffers.iter().enumerate() {
            let next = (self.free + 1) % size;
            let flags = if number < readable { 0 } else { WRITE };
            let flags = if number + 1 < buffers.len() { flags | NEXT } else { flags };
            self.set(ram, self.free, *buffer, flags, next);
            self.free = next;
        }
        self.offer(ram, head);
        head
    }

    /// Makes a chain available by a table at `table`. Returns its head.
    pub fn give_indirect(&mut self, ram: &mut Ram, table: u64, buffers: &[(u64, u32)], readable: usize) -> u16 {
        for (number, buffer) in buffers.iter().enumerate() {
            let flags = if number < readable { 0 } else { WRITE };
            let flags = if number + 1 < buffers.len() { flags | NEXT } else { flags };
            Self::describe(ram, table, number as u16, *buffer, flags, number as u16 + 1);
        }
        let head = self.free;
        self.set(ram, head, (table, 16 * buffers.len() as u32), INDIRECT, 0);
        self.free = (self.free + 1) % self.layout.size;
        self.offer(ram, head);
        head
    }

    /// The next chain that the device has given back: its head, and the bytes that it says to have written.
    pub fn used(&mut self, ram: &Ram) -> Option<(u16, u32)> {
        if self.seen == ram.half(self.layout.used + 2) {
            return None;
        }
        let place = self.layout.used + 4 + 8 * u64::from(self.seen % self.layout.size);
        self.seen = self.seen.wrapping_add(1);
        let element = u64::from_le_bytes(ram.at(place, 8).try_into().unwrap());
        Some((element as u16, (element >> 32) as u32))
    }

    /// Says behind which used chain it wants to be interrupted, with VIRTIO_F_EVENT_IDX.
    pub fn set_used_event(&self, ram: &mut Ram, event: u16) {
        ram.put(self.layout.available + 4 + 2 * u64::from(self.layout.size), &event.to_le_bytes());
    }

    /// Whether it wants to be interrupted, without VIRTIO_F_EVENT_IDX.
    pub fn set_interrupts(&self, ram: &mut Ram, wanted: bool) {
        ram.put(self.layout.available, &u16::from(!wanted).to_le_bytes());
    }

    /// Behind which available chain the device wants to be notified, with VIRTIO_F_EVENT_IDX.
    pub fn available_event(&self, ram: &Ram) -> u16 {
        ram.half(self.layout.used + 4 + 8 * u64::from(self.layout.size))
    }
}

/// Buffers that do not touch each other, of these lengths, from `address` on.
pub fn buffers(address: u64, lengths: &[u32]) -> Vec<(u64, u32)> {
    let mut at = address;
    let place = |length: &u32| {
        let segment = Segment { address: at, length: *length };
        at += u64::from(*length) + 5;
        (segment.address, segment.length)
    };
    lengths.iter().map(place).collect()
}
