//! A network device, by the queues and the transport of the crate `virtio-drivers`, used as Linux uses it: header and frame in one
//! buffer, buffers of a page to receive into, event indices, interrupts of both queues.

use guest_virtio::{Memory, negotiate, transports};
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceType, Transport};

/// Bytes of the virtio header in front of a frame.
const HEADER: usize = 12;
/// Bytes of the headers that a frame to be cut begins with: Ethernet, IPv4, TCP with a time stamp.
const HEADERS: usize = 66;
/// Chains of a queue: a burst has room.
const QUEUE: usize = 64;
/// Bytes of the longest frame that is not to be cut.
const ETHERNET: usize = 1514;
/// Bytes of a frame that are looked at: addresses, type, and what it says.
pub const SAYS: usize = 16;
/// Bytes of the longest frame with its header.
const LONGEST: usize = HEADER + (64 << 10);
/// Buffers that such a frame lies in: its headers, and pages.
const PARTS: usize = 1 + (LONGEST - HEADER - HEADERS).div_ceil(PAGE_SIZE);

/// The interrupt of the first transport.
const INTERRUPT: u32 = 48;

/// CSUM, GUEST_CSUM, MAC, GUEST_TSO4, HOST_TSO4, MRG_RXBUF, EVENT_IDX, VERSION_1.
const FEATURES: u64 = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 7 | 1 << 11 | 1 << 15 | 1 << 29 | 1 << 32;
const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;

/// What is received into.
#[repr(C, align(4096))]
struct Buffers([[u8; PAGE_SIZE]; QUEUE]);

/// What is sent.
#[repr(C, align(4096))]
struct Sent([u8; LONGEST]);

static mut BUFFERS: Buffers = Buffers([[0; PAGE_SIZE]; QUEUE]);
static mut SENT: Sent = Sent([0; LONGEST]);

/// A network device.
pub struct Port {
    transport: MmioTransport<'static>,
    receive: VirtQueue<Memory, QUEUE>,
    transmit: VirtQueue<Memory, QUEUE>,
    /// Its interrupt.
    pub interrupt: u32,
    /// Its address.
    mac: [u8; 6],
    /// Bytes of the frame that is sent, and how many of it are under way.
    length: usize,
    under_way: usize,
}

impl Port {
    /// The first network device, with buffers.
    pub fn find() -> Option<Self> {
        let (slot, mut transport) = transports(DeviceType::Network).next()?;
        negotiate(&mut transport, FEATURES)?;
        let receive = VirtQueue::new(&mut transport, RECEIVE, false, true).ok()?;
        let transmit = VirtQueue::new(&mut transport, TRANSMIT, false, true).ok()?;
        transport.finish_init();
        let mac = transport.read_config_space(0).ok()?;
        let interrupt = INTERRUPT + slot as u32;
        let mut port = Self { transport, receive, transmit, interrupt, mac, length: 0, under_way: 0 };
        (0..QUEUE as u16).for_each(|number| port.give(number));
        port.transport.notify(RECEIVE);
        Some(port)
    }

    /// The buffer that a chain of the receive queue stands for: the one with its number, as each is given back before the next
    /// is taken.
    fn buffer(token: u16) -> &'static mut [u8] {
        let buffers = (&raw mut BUFFERS).cast::<[u8; PAGE_SIZE]>();
        // SAFETY: there are so many; each is with the device or in use here, and one vCPU runs.
        unsafe { &mut *buffers.wrapping_add(usize::from(token) % QUEUE) }
    }

    /// Hands a buffer over. The device is not notified: its event index stays behind, as it looks when it has a frame.
    fn give(&mut self, number: u16) {
        // SAFETY: the buffer is not touched until it is complete.
        let token = unsafe { self.receive.add(&[], &mut [Self::buffer(number)]) };
        assert!(token == Ok(number), "a buffer has the chain of its number");
    }

    /// Makes the frame that is sent from now on: `length` bytes to an address, with a payload that begins with `says`. One that
    /// is longer than Ethernet's is to be cut.
    pub fn prepare(&mut self, length: usize, to: [u8; 6], says: [u8; 2]) {
        assert!(self.under_way == 0 && length <= LONGEST - HEADER, "a frame is made when none is sent");
        self.length = length;
        // NEEDS_CSUM, TCPV4, bytes of headers, of a segment, where the checksum begins, and where in there it is.
        let cut = [1, 1, HEADERS as u8, 0, 0xa8, 0x05, 34, 0, 16, 0, 0, 0];
        let header = if length > ETHERNET { cut } else { [0; HEADER] };
        let head = header.into_iter().chain(to).chain(self.mac).chain([0x88, 0xb5]).chain(says);
        // SAFETY: nothing is under way, and one vCPU runs.
        let sent = unsafe { &mut *(&raw mut SENT).cast::<[u8; LONGEST]>() };
        for (place, byte) in sent.iter_mut().zip(head) {
            *place = byte;
        }
    }

    /// Sends the frame once more, and notifies the device if that wants to be.
    pub fn send(&mut self) {
        let (parts, count) = parts(self.length);
        // SAFETY: the buffers are not touched until they are complete.
        let added = unsafe { self.transmit.add(parts.get(..count).unwrap_or_default(), &mut []) };
        assert!(added.is_ok(), "a burst has room");
        self.under_way += 1;
        if self.transmit.should_notify() {
            self.transport.notify(TRANSMIT);
        }
    }

    /// Whether there is room for one frame more.
    pub fn has_room(&self) -> bool {
        self.transmit.available_desc() >= PARTS
    }

    /// Notifies a queue, whatever is in it.
    pub fn notify(&mut self, queue: u32) {
        self.transport.notify(queue as u16);
    }

    /// Whether a frame is under way that was not given back.
    pub fn is_sending(&self) -> bool {
        self.under_way > 0
    }

    /// Does what is to be done after an interrupt: acknowledges it, takes back what was sent, and gives `take` the beginning of
    /// each frame that came, which is the device's again afterwards.
    pub fn serve(&mut self, mut take: impl FnMut(&mut Self, [u8; SAYS])) {
        self.transport.ack_interrupt();
        while let Some(token) = self.transmit.peek_used() {
            let (parts, count) = parts(self.length);
            // SAFETY: these are the buffers of every chain of the queue.
            let taken = unsafe { self.transmit.pop_used(token, parts.get(..count).unwrap_or_default(), &mut []) };
            assert!(taken.is_ok(), "a chain that was sent comes back");
            self.under_way -= 1;
        }
        while let Some(token) = self.receive.peek_used() {
            let first = self.take(token);
            // Its header says in how many buffers it lies.
            let buffers = usize::from(u16::from_le_bytes([first[10], first[11]]));
            let mut says = [0; SAYS];
            for (place, byte) in says.iter_mut().zip(first.iter().skip(HEADER)) {
                *place = *byte;
            }
            self.give(token);
            for _ in 1..buffers {
                let token = self.receive.peek_used();
                assert!(token.is_some(), "a frame comes as a whole");
                if let Some(token) = token {
                    self.take(token);
                    self.give(token);
                }
            }
            take(self, says);
        }
    }

    /// Takes a buffer that was written.
    fn take(&mut self, token: u16) -> &'static [u8] {
        let buffer = Self::buffer(token);
        // SAFETY: it is the buffer of this token.
        let taken = unsafe { self.receive.pop_used(token, &[], &mut [buffer]) };
        assert!(taken.is_ok(), "a buffer that was given comes back");
        buffer
    }
}

/// The buffers of a frame of `length` bytes that is sent, and how many there are: one, or its headers and pages.
fn parts(length: usize) -> ([&'static [u8]; PARTS], usize) {
    // SAFETY: nobody writes to it while a frame is under way.
    let all: &'static [u8] = unsafe { &*(&raw const SENT).cast::<[u8; LONGEST]>() };
    let all = all.get(..HEADER + length).unwrap_or_default();
    let mut parts = [all; PARTS];
    if length <= ETHERNET {
        return (parts, 1);
    }
    let (headers, pages) = all.split_at(HEADER + HEADERS);
    let pages = core::iter::once(headers).chain(pages.chunks(PAGE_SIZE));
    let count = parts.iter_mut().zip(pages).map(|(place, part)| *place = part).count();
    (parts, count)
}
