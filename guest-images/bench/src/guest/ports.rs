//! Serial ports, by the queues and the transport of the crate `virtio-drivers`, used as Linux uses them: buffers of a page to
//! receive into, a buffer for what is written at once, event indices, one interrupt. Messages are as virtio 1.2, section 5.3.6.2,
//! has them.

use guest_virtio::{Memory, negotiate, transports};
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceType, Transport};

/// Ports of a VM at the most.
pub const PORTS: usize = 2;
/// Bytes of the longest name of a port that is looked at.
pub const NAME: usize = 16;
/// The interrupt of the first transport.
const INTERRUPT: u32 = 48;
/// Chains of a queue.
const SIZE: usize = 16;
/// VIRTIO_CONSOLE_F_MULTIPORT, EVENT_IDX, VERSION_1.
const FEATURES: u64 = 1 << 1 | 1 << 29 | 1 << 32;
/// VIRTIO_CONSOLE_DEVICE_READY, DEVICE_ADD, PORT_READY, PORT_OPEN and PORT_NAME.
const DEVICE_READY: u16 = 0;
const ADD: u16 = 1;
const READY: u16 = 3;
const OPEN: u16 = 6;
const NAMED: u16 = 7;
/// Queues of messages, to the driver and from it.
const TELL: u16 = 2;
const HEAR: u16 = 3;

/// What is received into: a port's, and messages.
#[repr(C, align(4096))]
struct Room([[[u8; PAGE_SIZE]; SIZE]; PORTS + 1]);

static mut ROOM: Room = Room([[[0; PAGE_SIZE]; SIZE]; PORTS + 1]);

type Queue = VirtQueue<Memory, SIZE>;

/// A queue with buffers that the device fills.
struct Inlet {
    queue: Queue,
    /// Which buffers are its own.
    place: usize,
}

impl Inlet {
    fn new(transport: &mut MmioTransport<'static>, number: u16, place: usize) -> Option<Self> {
        Some(Self { queue: Queue::new(transport, number, false, true).ok()?, place })
    }

    /// The buffer of a chain: the one with its number, as each is given back before the next is taken.
    fn buffer(&self, token: u16) -> &'static mut [u8] {
        let rooms = (&raw mut ROOM).cast::<[u8; PAGE_SIZE]>();
        // SAFETY: there are so many; each is with the device or in use here, and one vCPU runs.
        unsafe { &mut *rooms.wrapping_add(self.place % (PORTS + 1) * SIZE + usize::from(token) % SIZE) }
    }

    /// Hands a buffer over. The device is not notified: whoever has bytes looks.
    fn give(&mut self, number: u16) {
        let buffer = self.buffer(number);
        // SAFETY: the buffer is not touched until it is complete.
        let token = unsafe { self.queue.add(&[], &mut [buffer]) };
        assert!(token == Ok(number), "a buffer has the chain of its number");
    }

    /// What is in the next buffer, if one has come. It is the device's again with the next call.
    fn take(&mut self, given: &mut Option<u16>) -> Option<&'static [u8]> {
        if let Some(token) = given.take() {
            self.give(token);
        }
        let token = self.queue.peek_used()?;
        let buffer = self.buffer(token);
        // SAFETY: it is the buffer of this token.
        let length = unsafe { self.queue.pop_used(token, &[], &mut [&mut *buffer]) }.ok()?;
        *given = Some(token);
        buffer.get(..length as usize)
    }
}

/// A port.
struct Line {
    receive: Inlet,
    transmit: Queue,
    /// What is sent, by the numbers of chains.
    sent: [&'static [u8]; SIZE],
    under_way: usize,
    /// Its name, with zeros behind it, and whether the other end is open.
    name: [u8; NAME],
    open: bool,
}

/// A console with its ports.
pub struct Ports {
    transport: MmioTransport<'static>,
    tell: Inlet,
    hear: Queue,
    lines: [Option<Line>; PORTS],
    /// Its interrupt.
    pub interrupt: u32,
}

/// The numbers of a port's queues: what is received, and what is sent.
const fn queues(port: usize) -> (u16, u16) {
    if port == 0 { (0, 1) } else { (port as u16 * 2 + 2, port as u16 * 2 + 3) }
}

impl Ports {
    /// The first console, with so many ports, each of which is open here.
    pub fn find(count: usize) -> Option<Self> {
        let (slot, mut transport) = transports(DeviceType::Console).next()?;
        negotiate(&mut transport, FEATURES)?;
        let mut lines = [const { None }; PORTS];
        for (port, line) in lines.iter_mut().enumerate().take(count) {
            let (receive, transmit) = queues(port);
            let receive = Inlet::new(&mut transport, receive, port)?;
            let transmit = Queue::new(&mut transport, transmit, false, true).ok()?;
            *line = Some(Line { receive, transmit, sent: [&[]; SIZE], under_way: 0, name: [0; NAME], open: false });
        }
        let tell = Inlet::new(&mut transport, TELL, PORTS)?;
        let hear = Queue::new(&mut transport, HEAR, false, true).ok()?;
        transport.finish_init();
        let mut ports = Self { transport, tell, hear, lines, interrupt: INTERRUPT + slot as u32 };
        let Self { tell, lines, .. } = &mut ports;
        for inlet in lines.iter_mut().flatten().map(|line| &mut line.receive).chain([tell]) {
            (0..SIZE as u16).for_each(|number| inlet.give(number));
        }
        ports.transport.notify(TELL);
        ports.say(0, DEVICE_READY);
        while ports.lines.iter().flatten().any(|line| line.name == [0; NAME]) {
            ports.listen();
        }
        for port in 0..count {
            ports.say(port, OPEN);
            ports.transport.notify(queues(port).0);
        }
        Some(ports)
    }

    /// Says something, which is used up by the time that the notification is.
    fn say(&mut self, port: usize, event: u16) {
        let mut message = [0; 8];
        message[..4].copy_from_slice(&(port as u32).to_le_bytes());
        message[4..6].copy_from_slice(&event.to_le_bytes());
        message[6] = 1;
        _ = self.hear.add_notify_wait_pop(&[&message], &mut [], &mut self.transport);
    }

    /// Takes note of what it is told.
    fn listen(&mut self) {
        let mut given = None;
        while let Some(message) = self.tell.take(&mut given) {
            let Some((&[port, _, _, _, event, _, value, _], rest)) = message.split_first_chunk() else { continue };
            let line = self.lines.get_mut(usize::from(port)).and_then(Option::as_mut);
            match (u16::from(event), line) {
                (ADD, Some(_)) => self.say(port.into(), READY),
                (NAMED, Some(line)) => line.name.iter_mut().zip(rest).for_each(|(to, from)| *to = *from),
                (OPEN, Some(line)) => line.open = value != 0,
                _ => {}
            }
        }
    }

    /// The port whose name ends so.
    pub fn named(&self, end: &str) -> Option<usize> {
        let name = |line: &Line| {
            let length = line.name.iter().position(|byte| *byte == 0).unwrap_or(NAME);
            line.name.get(..length).is_some_and(|name| name.ends_with(end.as_bytes()))
        };
        self.lines.iter().position(|line| line.as_ref().is_some_and(name))
    }

    /// Whether the other end of a port is open.
    pub fn is_open(&self, port: usize) -> bool {
        self.lines.get(port).and_then(Option::as_ref).is_some_and(|line| line.open)
    }

    /// Sends bytes as one buffer, and notifies the device if that wants to be. False: there is no room.
    pub fn send(&mut self, port: usize, bytes: &'static [u8]) -> bool {
        let Some(line) = self.lines.get_mut(port).and_then(Option::as_mut) else { return false };
        // SAFETY: nobody writes to the bytes.
        let Ok(token) = (unsafe { line.transmit.add(&[bytes], &mut []) }) else { return false };
        if let Some(place) = line.sent.get_mut(usize::from(token)) {
            *place = bytes;
        }
        line.under_way += 1;
        if line.transmit.should_notify() {
            self.transport.notify(queues(port).1);
        }
        true
    }

    /// Notifies a queue, whatever is in it.
    pub fn notify(&mut self, queue: u32) {
        self.transport.notify(queue as u16);
    }

    /// Whether something was sent by a port that was not given back.
    pub fn is_sending(&self, port: usize) -> bool {
        self.lines.get(port).and_then(Option::as_ref).is_some_and(|line| line.under_way > 0)
    }

    /// Does what is to be done after an interrupt: acknowledges it, takes back what was sent, and gives `take` what came by each
    /// port.
    pub fn serve(&mut self, mut take: impl FnMut(&mut Self, usize, &[u8])) {
        self.transport.ack_interrupt();
        self.listen();
        for port in 0..PORTS {
            let mut given = None;
            while let Some(line) = self.lines.get_mut(port).and_then(Option::as_mut) {
                line.take_back();
                let Some(bytes) = line.receive.take(&mut given) else { break };
                take(self, port, bytes);
            }
        }
    }
}

impl Line {
    fn take_back(&mut self) {
        while let Some(token) = self.transmit.peek_used() {
            let bytes = self.sent.get(usize::from(token)).copied().unwrap_or_default();
            // SAFETY: it is the buffer of this token.
            let taken = unsafe { self.transmit.pop_used(token, &[bytes], &mut []) };
            assert!(taken.is_ok(), "a chain that was sent comes back");
            self.under_way -= 1;
        }
    }
}
