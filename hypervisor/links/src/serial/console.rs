//! The device of one VM.

use portcullis_virtio::features::EVERY;
use portcullis_virtio::mmio::Identity;
use portcullis_virtio::{Chain, Fault, Queue, Shared};
use virtio_spec::console::F;

use super::message::{BYTES, Said};
use super::port::Port;

/// Chains that a queue holds.
pub const QUEUE_SIZE: u16 = 32;
/// Number of the queue of buffers for messages to the driver.
pub const CONTROL_RECEIVE: u16 = 2;
/// Number of the queue of messages of the driver.
pub const CONTROL_TRANSMIT: u16 = 3;

/// Descriptors of a message. All messages of a full queue are used up at once, and that takes no longer than another piece of work.
const MOST: usize = 4;

const MULTIPORT: u64 = F::MULTIPORT.bits().to_ne() as u64;

/// What a driver is shown first, of a device with `QUEUES` queues: two for each port, and two for messages.
pub const fn identity<const QUEUES: usize>() -> Identity<QUEUES> {
    const CONSOLE: u32 = 3;
    Identity { device: CONSOLE, features: EVERY | MULTIPORT, accepts: |_| true, queues: [QUEUE_SIZE; QUEUES] }
}

/// Numbers of the queues of a port: of buffers for what it receives, and of what it sends (section 5.3.2).
pub const fn queues(port: u16) -> (u16, u16) {
    let first = if port == 0 { 0 } else { port.saturating_mul(2).saturating_add(2) };
    (first, first.saturating_add(1))
}

/// What a message of the driver changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing, or only what is said next.
    None,
    /// The driver has set up the port.
    Ready(usize),
    /// A program has opened the port.
    Opened(usize),
    /// A program has closed the port.
    Closed(usize),
}

/// The ports of one VM.
#[derive(Clone, Debug)]
pub struct Console<const PORTS: usize> {
    /// The ports, by number.
    pub ports: [Port; PORTS],
    /// The driver knows ports.
    ready: bool,
}

impl<const PORTS: usize> Console<PORTS> {
    /// A device whose driver has said nothing yet.
    pub const fn new(ports: [Port; PORTS]) -> Self {
        Self { ports, ready: false }
    }

    /// The device's configuration (section 5.3.4): no size, how many ports there are, no emergency write.
    pub const fn config(&self) -> [u8; 12] {
        let [a, b, c, d] = (PORTS as u32).to_le_bytes();
        [0, 0, 0, 0, a, b, c, d, 0, 0, 0, 0]
    }

    /// The driver begins anew: every port is closed, and to be added again.
    pub fn reset(&mut self) {
        self.ready = false;
        self.ports.iter_mut().for_each(Port::reset);
    }

    /// Takes the next message of the driver. None: there is no other. To be called until then, as soon as the queue is notified.
    ///
    /// # Errors
    ///
    /// [`Fault`]: it is shorter than a message.
    pub fn hear<M: Shared>(
        &mut self,
        queue: &mut Queue,
        memory: &mut M,
        chain: &mut Chain,
    ) -> Result<Option<Event>, Fault> {
        if !queue.take_within(memory, chain, MOST)? {
            return Ok(None);
        }
        let mut bytes = [0; BYTES];
        if chain.reader().read(memory, &mut bytes)? < BYTES {
            return Err(Fault::Short { what: "a message", length: chain.readable(), least: BYTES as u32 });
        }
        queue.put(memory, chain.head(), 0)?;
        Ok(Some(self.said(Said::new(bytes))))
    }

    fn said(&mut self, said: Said) -> Event {
        let number = |port: u32| usize::try_from(port).unwrap_or(usize::MAX);
        match said {
            Said::DeviceReady(true) => {
                self.ready = true;
                Event::None
            }
            Said::PortReady(port, true) => match self.ports.get_mut(number(port)) {
                Some(found) if !found.is_ready() => {
                    found.set_ready();
                    if found.is_ready() { Event::Ready(number(port)) } else { Event::None }
                }
                _ => Event::None,
            },
            Said::Open(port, open) => {
                let changed = self.ports.get_mut(number(port)).is_some_and(|found| found.set_open(open));
                match (changed, open) {
                    (true, true) => Event::Opened(number(port)),
                    (true, false) => Event::Closed(number(port)),
                    (false, _) => Event::None,
                }
            }
            Said::DeviceReady(false) | Said::PortReady(_, false) | Said::Other => Event::None,
        }
    }

    /// Whether there is something to tell the driver.
    pub fn has_news(&self) -> bool {
        self.ready && self.ports.iter().any(|port| port.message().is_some())
    }

    /// Tells the driver what there is to tell, as far as it has buffers for it. What it has none for stays to be told.
    ///
    /// # Errors
    ///
    /// [`Fault`]: a buffer has no room for a message.
    pub fn tell<M: Shared>(&mut self, queue: &mut Queue, memory: &mut M, chain: &mut Chain) -> Result<(), Fault> {
        if !self.ready {
            return Ok(());
        }
        for (number, port) in (0_u32..).zip(&mut self.ports) {
            while let Some(message) = port.message() {
                if !queue.take_within(memory, chain, MOST)? {
                    return Ok(());
                }
                let bytes = message.bytes(number);
                let least = bytes.len() as u32;
                if chain.writable() < least {
                    return Err(Fault::Narrow { what: "a message", length: chain.writable(), least });
                }
                chain.writer().write(memory, &bytes)?;
                queue.put(memory, chain.head(), least)?;
                port.told();
            }
        }
        Ok(())
    }
}
