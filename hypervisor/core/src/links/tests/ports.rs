//! A guest with a driver of serial ports.

use super::guest::Guest;
use crate::tests::rig::Rig;

/// VIRTIO_CONSOLE_F_MULTIPORT.
const MULTIPORT: u64 = 2;
/// VIRTIO_CONSOLE_PORT_READY.
pub const READY: u16 = 3;
/// VIRTIO_CONSOLE_PORT_OPEN.
pub const OPEN: u16 = 6;
/// Chains of a queue.
const SIZE: u16 = 32;
/// Queues of messages to the driver and of the driver.
const TELL: usize = 2;
const HEAR: usize = 3;

/// Its driver.
pub struct Ports {
    pub guest: Guest,
    /// What it was told while it set up its ports.
    pub told: Vec<Vec<u8>>,
    /// Buffers for messages, in their order.
    messages: Vec<u64>,
    /// By port: buffers for bytes, in their order.
    rooms: Vec<Vec<u64>>,
}

/// A message about a port.
pub fn message(port: u32, event: u16, value: u16) -> Vec<u8> {
    [&port.to_le_bytes()[..], &event.to_le_bytes(), &value.to_le_bytes()].concat()
}

/// The queues of a port, of what it receives and of what it sends.
const fn queues(port: usize) -> [usize; 2] {
    let first = if port == 0 { 0 } else { 2 * port + 2 };
    [first, first + 1]
}

impl Ports {
    /// That of VM `vm`, whose vCPU is on core `core`.
    pub fn new(vm: usize, core: usize) -> Self {
        Self { guest: Guest::new(vm, core, 0), told: Vec::new(), messages: Vec::new(), rooms: Vec::new() }
    }

    /// Takes the device up, and sets up so many ports.
    pub fn begin(&mut self, rig: &Rig, ports: usize) {
        self.begin_with(rig, ports, 0);
    }

    /// The same, with these features beside its own.
    pub fn begin_with(&mut self, rig: &Rig, ports: usize, features: u64) {
        self.guest.begin(rig, MULTIPORT | features, &vec![SIZE; 2 * ports + 2]);
        (self.messages, self.rooms, self.told) = (Vec::new(), vec![Vec::new(); ports], Vec::new());
        self.messages.extend(self.guest.take(rig, TELL, 24, 64));
        self.say(rig, 0, 0, 1);
        let mut told = self.hear(rig);
        for port in 0..ports {
            self.say(rig, port as u32, READY, 1);
        }
        told.extend(self.hear(rig));
        self.told = told;
        assert_eq!(self.said_back(rig), 1 + ports);
    }

    /// Says something about a port.
    pub fn say(&mut self, rig: &Rig, port: u32, event: u16, value: u16) {
        self.guest.give(rig, HEAR, &[&message(port, event, value)]);
        self.guest.notify(rig, HEAR);
    }

    /// How many messages were used up since this was asked last.
    pub fn said_back(&mut self, rig: &Rig) -> usize {
        self.guest.used(rig, HEAR).len()
    }

    /// What it is told. Buffers go back.
    pub fn hear(&mut self, rig: &Rig) -> Vec<Vec<u8>> {
        let told = self.filled(rig, TELL, None);
        let places = self.guest.take(rig, TELL, told.len(), 64);
        self.messages.extend(places);
        told
    }

    /// Gives a port so many buffers of `length` bytes for what it receives, and does not notify.
    pub fn room(&mut self, rig: &Rig, port: usize, count: usize, length: u32) {
        let places = self.guest.take(rig, queues(port)[0], count, length);
        self.rooms[port].extend(places);
    }

    /// Gives it as many as are missing to `count`, and does not notify.
    pub fn fill_room(&mut self, rig: &Rig, port: usize, count: usize, length: u32) {
        self.room(rig, port, count.saturating_sub(self.rooms[port].len()), length);
    }

    pub fn notify_room(&self, rig: &Rig, port: usize) {
        self.guest.notify(rig, queues(port)[0]);
    }

    /// Bytes that have come.
    pub fn got(&mut self, rig: &Rig, port: usize) -> Vec<u8> {
        self.filled(rig, queues(port)[0], Some(port)).concat()
    }

    /// Has a port send bytes, and does not notify.
    pub fn queue(&mut self, rig: &Rig, port: usize, bytes: &[u8]) {
        self.guest.give(rig, queues(port)[1], &[bytes]);
    }

    pub fn notify(&self, rig: &Rig, port: usize) {
        self.guest.notify(rig, queues(port)[1]);
    }

    /// Has a port send bytes.
    pub fn send(&mut self, rig: &Rig, port: usize, bytes: &[u8]) {
        self.queue(rig, port, bytes);
        self.notify(rig, port);
    }

    /// How many chains that a port has sent came back since this was asked last.
    pub fn back(&mut self, rig: &Rig, port: usize) -> usize {
        self.guest.used(rig, queues(port)[1]).len()
    }

    /// What the next buffers of a queue were filled with: those of a port, or for messages.
    fn filled(&mut self, rig: &Rig, queue: usize, port: Option<usize>) -> Vec<Vec<u8>> {
        let used = self.guest.used(rig, queue);
        let places = match port {
            Some(port) => &mut self.rooms[port],
            None => &mut self.messages,
        };
        let places: Vec<u64> = places.drain(..used.len()).collect();
        used.iter().zip(places).map(|((_, length), at)| self.guest.bytes(rig, at, *length as usize)).collect()
    }
}
