//! Two VMs with two serial cables: one asks, the other sends all back. The queues are those of the crate `virtio-drivers`,
//! whose own driver of a console knows no ports; messages are as virtio 1.2, section 5.3.6.2, has them.

use guest_runtime::counter;
use guest_virtio::{Memory, transports};
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceStatus, DeviceType, Transport};

use crate::guest::report;

/// Chains of a queue.
const SIZE: usize = 16;
/// Bytes of a buffer for what is received, and of the longest that is sent.
const BUFFER: usize = 2048;
const LONGEST: usize = 8192;
/// Ports of a VM.
const PORTS: usize = 2;
/// By port: the queue of what it sends.
const TRANSMIT: [u16; PORTS] = [1, 5];
/// VIRTIO_F_VERSION_1 and VIRTIO_CONSOLE_F_MULTIPORT.
const FEATURES: u64 = 1 << 32 | 1 << 1;
/// VIRTIO_CONSOLE_DEVICE_READY, DEVICE_ADD, PORT_READY, PORT_OPEN and PORT_NAME.
const DEVICE_READY: u16 = 0;
const ADD: u16 = 1;
const READY: u16 = 3;
const OPEN: u16 = 6;
const NAME: u16 = 7;
/// Microseconds that something may take.
const PATIENCE: u64 = 20_000_000;
/// What is sent last.
const END: &[u8] = b"and that was all";

static mut ROOM: [[[u8; BUFFER]; SIZE]; PORTS + 1] = [[[0; BUFFER]; SIZE]; PORTS + 1];
static mut SENT: [u8; LONGEST] = [0; LONGEST];
static mut GOT: [u8; LONGEST] = [0; LONGEST];

type Queue = VirtQueue<Memory, SIZE>;

/// A queue with buffers that the device fills.
struct Inlet {
    queue: Queue,
    number: u16,
    /// Which buffers are its own.
    place: usize,
    /// By token its buffer.
    tokens: [usize; SIZE],
}

impl Inlet {
    fn new(transport: &mut MmioTransport<'static>, number: u16, place: usize) -> Option<Self> {
        let queue = Queue::new(transport, number, false, false).ok()?;
        Some(Self { queue, number, place, tokens: [0; SIZE] })
    }

    fn buffer(&self, number: usize) -> &'static mut [u8] {
        let rooms = (&raw mut ROOM).cast::<[u8; BUFFER]>();
        // SAFETY: there are so many; each is with the device or in use here, and one vCPU runs.
        unsafe { &mut *rooms.wrapping_add(self.place % (PORTS + 1) * SIZE + number % SIZE) }
    }

    fn give(&mut self, transport: &mut MmioTransport<'static>, number: usize) {
        let buffer = self.buffer(number);
        // SAFETY: the buffer is not touched until it comes back.
        if let Ok(token) = unsafe { self.queue.add(&[], &mut [buffer]) } {
            self.tokens[usize::from(token) % SIZE] = number;
        }
        if self.queue.should_notify() {
            transport.notify(self.number);
        }
    }

    /// What is in the next buffer, if one has come.
    fn take(&mut self, transport: &mut MmioTransport<'static>, into: &mut [u8]) -> Option<usize> {
        let token = self.queue.peek_used()?;
        let number = self.tokens[usize::from(token) % SIZE];
        let buffer = self.buffer(number);
        // SAFETY: it is the buffer of this token.
        let length = unsafe { self.queue.pop_used(token, &[], &mut [&mut *buffer]) }.ok()? as usize;
        into.get_mut(..length)?.copy_from_slice(buffer.get(..length)?);
        self.give(transport, number);
        Some(length)
    }
}

/// A console with its ports.
struct Console {
    transport: MmioTransport<'static>,
    tell: Inlet,
    hear: Queue,
    receive: [Inlet; PORTS],
    transmit: [Queue; PORTS],
    /// By port: its name, as the first bytes and the length; whether the other end is open, and how often it was closed.
    names: [([u8; 8], usize); PORTS],
    open: [bool; PORTS],
    closed: [usize; PORTS],
}

impl Console {
    /// The first console, with its ports set up.
    fn find() -> Option<Self> {
        let (_, mut transport) = transports(DeviceType::Console).next()?;
        transport.set_status(DeviceStatus::empty());
        transport.set_status(DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER);
        let offered = transport.read_device_features();
        transport.write_driver_features(offered & FEATURES);
        let negotiated = DeviceStatus::ACKNOWLEDGE | DeviceStatus::DRIVER | DeviceStatus::FEATURES_OK;
        transport.set_status(negotiated);
        let receive = [Inlet::new(&mut transport, 0, 0)?, Inlet::new(&mut transport, 4, 1)?];
        let transmit =
            [Queue::new(&mut transport, 1, false, false).ok()?, Queue::new(&mut transport, 5, false, false).ok()?];
        let tell = Inlet::new(&mut transport, 2, PORTS)?;
        let hear = Queue::new(&mut transport, 3, false, false).ok()?;
        transport.set_status(negotiated | DeviceStatus::DRIVER_OK);
        let (names, open, closed) = ([([0; 8], 0); PORTS], [false; PORTS], [0; PORTS]);
        let mut console = Self { transport, tell, hear, receive, transmit, names, open, closed };
        let Self { transport, tell, receive, .. } = &mut console;
        for inlet in receive.iter_mut().chain([tell]) {
            (0..SIZE).for_each(|buffer| inlet.give(transport, buffer));
        }
        console.say(0, DEVICE_READY, 1);
        console.wait(|console| console.names.iter().all(|(_, length)| *length > 0)).then_some(console)
    }

    /// Says something, which is used up by the time that the notification is.
    fn say(&mut self, port: u32, event: u16, value: u16) {
        let mut message = [0; 8];
        message[..4].copy_from_slice(&port.to_le_bytes());
        message[4..6].copy_from_slice(&event.to_le_bytes());
        message[6..].copy_from_slice(&value.to_le_bytes());
        let _ = self.hear.add_notify_wait_pop(&[&message], &mut [], &mut self.transport);
    }

    /// Takes note of what it is told.
    fn listen(&mut self) {
        let mut message = [0; BUFFER];
        while let Some(length) = self.tell.take(&mut self.transport, &mut message) {
            let Some(([a, b, c, d, e, f, g, h], name)) = message.get(..length).and_then(|m| m.split_first_chunk())
            else {
                return report::fail(format_args!("serial/message"), &"8 bytes at least", &length);
            };
            let number = u32::from_le_bytes([*a, *b, *c, *d]);
            let Some(port) = usize::try_from(number).ok().filter(|port| *port < PORTS) else { continue };
            match (u16::from_le_bytes([*e, *f]), u16::from_le_bytes([*g, *h])) {
                (ADD, _) => self.say(number, READY, 1),
                (NAME, 1) => {
                    let mut first = [0; 8];
                    first.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
                    self.names[port] = (first, name.len());
                }
                (OPEN, 1) => self.open[port] = true,
                (OPEN, _) => (self.open[port], self.closed[port]) = (false, self.closed[port] + 1),
                _ => {}
            }
        }
    }

    /// Listens until `condition` holds. False: that took too long.
    fn wait(&mut self, condition: impl Fn(&Self) -> bool) -> bool {
        counter::wait_until(PATIENCE, || {
            self.listen();
            condition(self)
        })
    }

    /// Sends bytes, and returns when the device has them no more. False: that took too long.
    fn send(&mut self, port: usize, bytes: &[u8]) -> bool {
        let Some(queue) = self.transmit.get_mut(port) else { return false };
        // SAFETY: the bytes are there until they come back, or the guest gives up.
        let Ok(token) = (unsafe { queue.add(&[bytes], &mut []) }) else { return false };
        if queue.should_notify() {
            self.transport.notify(TRANSMIT[port % PORTS]);
        }
        // SAFETY: as above.
        counter::wait_until(PATIENCE, || queue.can_pop()) && unsafe { queue.pop_used(token, &[bytes], &mut []) }.is_ok()
    }

    /// What has come, if something has.
    fn poll(&mut self, port: usize, into: &mut [u8]) -> Option<usize> {
        self.receive.get_mut(port)?.take(&mut self.transport, into)
    }

    /// Fills `into` with what comes. False: that took too long.
    fn read(&mut self, port: usize, into: &mut [u8]) -> bool {
        let mut done = 0;
        counter::wait_until(PATIENCE, || {
            while done < into.len()
                && let Some(length) = self.poll(port, into.get_mut(done..).unwrap_or_default())
            {
                done += length;
            }
            done == into.len()
        })
    }
}

/// Sends back what comes on any port, until the first is closed at the other end.
pub fn answer() {
    let Some(mut console) = Console::find() else {
        return report::fail(format_args!("serial/device"), &"ports", &"none");
    };
    let got = &raw mut GOT;
    // SAFETY: one vCPU runs, and nobody else has it.
    let bytes = unsafe { &mut *got };
    (0..PORTS).for_each(|port| console.say(port as u32, OPEN, 1));
    let (mut count, mut last, mut failed) = (0, [0; END.len()], false);
    let ended = counter::wait_until(6 * PATIENCE, || {
        console.listen();
        // What was sent before it was closed is there by now.
        let closed = console.closed[0] > 0;
        for port in 0..PORTS {
            while let Some(length) = console.poll(port, bytes) {
                let got = bytes.get(..length).unwrap_or_default();
                if port == 0 {
                    count += length;
                    if let Some(end) = got.last_chunk() {
                        last = *end;
                    }
                }
                if got != END {
                    failed |= !console.send(port, got);
                }
            }
        }
        closed || failed
    });
    report::holds(format_args!("serial/closed"), ended && !failed, "the other end closes", &(count, failed));
    report::equal(format_args!("serial/last-bytes"), END, &last);
}

/// Asks by messages of all lengths, on both ports.
pub fn ask() {
    let Some(mut console) = Console::find() else {
        return report::fail(format_args!("serial/device"), &"ports", &"none");
    };
    let names = console.names.map(|(first, _)| first.first_chunk().copied());
    report::equal(format_args!("serial/names"), [Some(*b"uplink"), Some(*b"second")], names);
    let (sent, got) = (&raw mut SENT, &raw mut GOT);
    // SAFETY: one vCPU runs, and nobody else has them.
    let (sent, got) = unsafe { (&mut *sent, &mut *got) };
    (0..PORTS).for_each(|port| console.say(port as u32, OPEN, 1));
    let open = console.wait(|console| console.open == [true; PORTS]);
    report::holds(format_args!("serial/open"), open, "the other end is open", &console.open);
    let mut wrong = None;
    let lengths = [1, 5, 64, 1000, BUFFER, BUFFER + 1, LONGEST];
    for (round, length) in lengths.into_iter().cycle().take(70).enumerate() {
        let port = round / 3 % PORTS;
        let (sent, got) = (&mut sent[..length], &mut got[..length]);
        sent.iter_mut().enumerate().for_each(|(number, byte)| *byte = (number * 7 + round) as u8);
        if (!console.send(port, sent) || !console.read(port, got) || sent != got) && wrong.is_none() {
            wrong = Some((round, length));
        }
    }
    report::equal(format_args!("serial/echo"), None, wrong);
    report::equal(format_args!("serial/nothing-else"), [None; PORTS], [0, 1].map(|port| console.poll(port, got)));
    // The close is behind the last bytes, whoever is slower.
    let last = console.send(0, END);
    console.say(0, OPEN, 0);
    report::holds(format_args!("serial/end"), last, "the last bytes are taken", &last);
}
