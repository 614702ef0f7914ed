//! The device of one VM.

use heapless::Vec;
use portcullis_abi::state::{self, Unfit};
use portcullis_virtio::features::EVERY;
use portcullis_virtio::mmio::Identity;
use portcullis_virtio::{Chain, Fault, Queue, Shared};
use virtio_spec::console::F;

use super::message::{BYTES, Message, Said};
use super::port::Port;

/// Chains that a queue holds.
pub const QUEUE_SIZE: u16 = 32;
/// Number of the queue of buffers for messages to the driver.
pub const CONTROL_RECEIVE: u16 = 2;
/// Number of the queue of messages of the driver.
pub const CONTROL_TRANSMIT: u16 = 3;

/// Descriptors of a message. All messages of a full queue are used up at once, and that takes no longer than another piece of work.
const MOST: usize = 4;

/// Most ports of a device.
pub const PORTS: usize = 31;
/// Queues of a device with as many: two for each port, and two for messages.
pub const QUEUES: usize = 2 * (PORTS + 1);

const MULTIPORT: u64 = F::MULTIPORT.bits().to_ne() as u64;

/// What a driver is shown first, of a device with so many ports. It has the queues of these, and those for messages.
pub fn identity(ports: usize) -> Identity<QUEUES> {
    const CONSOLE: u32 = 3;
    let mut queues = [0; QUEUES];
    // There are queues for the first port whatever a device has, and for messages behind them.
    queues.iter_mut().take(ports.max(1).saturating_add(1).saturating_mul(2)).for_each(|size| *size = QUEUE_SIZE);
    Identity { device: CONSOLE, features: EVERY | MULTIPORT, accepts: |_| true, queues }
}

/// Numbers of the queues of a port: of buffers for what it receives, and of what it sends (section 5.3.2).
pub const fn queues(port: u16) -> (u16, u16) {
    let first = if port == 0 { 0 } else { port.saturating_mul(2).saturating_add(2) };
    (first, first.saturating_add(1))
}

/// What a queue is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Buffers for messages to the driver.
    Tell,
    /// Messages of the driver.
    Hear,
    /// Buffers for what the port with this number receives.
    Receive(usize),
    /// What the port with this number sends.
    Transmit(usize),
}

impl Purpose {
    /// What the queue with this number is for: the inverse of [`queues`].
    pub const fn of(queue: u16) -> Self {
        let port = match queue {
            CONTROL_RECEIVE => return Self::Tell,
            CONTROL_TRANSMIT => return Self::Hear,
            0 | 1 => 0,
            _ => (queue.saturating_sub(2) / 2) as usize,
        };
        if queue.is_multiple_of(2) { Self::Receive(port) } else { Self::Transmit(port) }
    }
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
pub struct Console {
    /// The ports, by number.
    pub ports: Vec<Port, PORTS>,
    /// The driver knows ports.
    ready: bool,
    /// The driver is one that does not, and uses the first as its console.
    plain: bool,
}

impl Console {
    /// A device with these ports, of which there are [`PORTS`] at the most, whose driver has said nothing yet.
    pub fn new(ports: impl Iterator<Item = Port>) -> Self {
        Self { ports: ports.take(PORTS).collect(), ready: false, plain: false }
    }

    /// The device's configuration (section 5.3.4): no size, how many ports there are, no emergency write.
    pub fn config(&self) -> [u8; 12] {
        let [a, b, c, d] = (self.ports.len() as u32).to_le_bytes();
        [0, 0, 0, 0, a, b, c, d, 0, 0, 0, 0]
    }

    /// The driver uses the device, with the features `accepted`. Without those of ports there are no messages: it has the first
    /// port open from now on, and needs not be told who is at the other end. Returns what that changed.
    pub fn begin(&mut self, accepted: u64) -> Event {
        self.plain = accepted & MULTIPORT == 0;
        match self.ports.first_mut().filter(|_| self.plain) {
            Some(first) => {
                first.take_as_console();
                Event::Opened(0)
            }
            None => Event::None,
        }
    }

    /// Says which session of the other end of port `number` is open, or that it is closed. The driver is told of an end in between.
    pub fn set_other(&mut self, number: usize, session: Option<u32>) {
        let Some(port) = self.ports.get_mut(number) else { return };
        port.set_other(session);
        if self.plain && number == 0 {
            port.see_other();
        }
    }

    /// The driver begins anew: every port is closed, and to be added again.
    pub fn reset(&mut self) {
        (self.ready, self.plain) = (false, false);
        self.ports.iter_mut().for_each(Port::reset);
    }

    /// Returns what its driver knows: the bits of [`state::Console::flags`].
    pub const fn save(&self) -> u32 {
        if self.ready { state::Console::READY } else { 0 }
    }

    /// Takes on what its driver knows, which is in use with the features `accepted`, or is not. Its ports are restored each by
    /// itself.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&mut self, flags: u32, accepted: Option<u64>) -> Result<(), Unfit> {
        let ready = flags & state::Console::READY != 0;
        if flags & !state::Console::READY != 0 || ready && accepted.is_none_or(|accepted| accepted & MULTIPORT == 0) {
            return Err(Unfit::Value("what a driver knows of ports"));
        }
        self.ready = ready;
        self.plain = accepted.is_some_and(|accepted| accepted & MULTIPORT == 0);
        Ok(())
    }

    /// Returns what its driver knows and has said of a port; none: there is no such port.
    pub fn save_port(&self, number: usize) -> Option<u32> {
        self.ports.get(number).map(Port::save)
    }

    /// Takes that on.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore_port(&mut self, number: usize, flags: u32) -> Result<(), Unfit> {
        let port = self.ports.get_mut(number).ok_or(Unfit::Absent("a port"))?;
        port.restore(flags)?;
        if self.plain && number == 0 {
            port.see_other();
        }
        Ok(())
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

    /// Tells the driver what there is to tell, as far as it has buffers for it. What it has none for stays to be told. Returns
    /// the ports of whose other end it knows something new, a bit each.
    ///
    /// # Errors
    ///
    /// [`Fault`]: a buffer has no room for a message.
    pub fn tell<M: Shared>(&mut self, queue: &mut Queue, memory: &mut M, chain: &mut Chain) -> Result<u32, Fault> {
        let mut told = 0;
        if !self.ready {
            return Ok(told);
        }
        for (number, port) in (0_u32..).zip(&mut self.ports) {
            while let Some(message) = port.message() {
                if !queue.take_within(memory, chain, MOST)? {
                    return Ok(told);
                }
                if matches!(message, Message::Open(_)) {
                    told |= 1_u32.wrapping_shl(number);
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
        Ok(told)
    }
}
