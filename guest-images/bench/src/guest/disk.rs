//! Disks, by the queue and the transport of the crate `virtio-drivers`, used as Linux uses them: a header, buffers of a page, a
//! status; event indices; an interrupt whose status is read and acknowledged.

use core::array::from_fn;

use guest_virtio::{Memory, negotiate, transports};
use virtio_drivers::PAGE_SIZE;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceType, Transport};

use crate::guest::interrupt;
use crate::transfers::{self, DISK};

/// The interrupt of the first transport.
const INTERRUPT: u32 = 48;
/// Descriptors of the queue: a request has room.
const QUEUE: usize = 32;
/// Buffers of the longest read.
const PAGES: usize = DISK / PAGE_SIZE;
/// EVENT_IDX, VERSION_1.
const FEATURES: u64 = 1 << 29 | 1 << 32;
const REQUESTS: u16 = 0;
/// VIRTIO_BLK_T_IN, from sector 0 on.
static READ: [u8; 16] = [0; 16];
/// A status that no device writes.
const NONE: u8 = 0xff;

/// What is read into.
#[repr(C, align(4096))]
struct Room([[u8; PAGE_SIZE]; PAGES]);

static mut ROOM: Room = Room([[0; PAGE_SIZE]; PAGES]);
static mut STATUS: [u8; 1] = [NONE];

/// A disk.
pub struct Disk {
    transport: MmioTransport<'static>,
    queue: VirtQueue<Memory, QUEUE>,
    /// The request that is under way.
    token: Option<u16>,
    /// Its interrupt.
    pub interrupt: u32,
}

impl Disk {
    /// The disks, from the lowest transport up. Devices in transports before them are reset by that.
    pub fn all() -> impl Iterator<Item = Self> {
        transports(DeviceType::Block).filter_map(|(slot, transport)| Self::begin(slot, transport))
    }

    fn begin(slot: usize, mut transport: MmioTransport<'static>) -> Option<Self> {
        negotiate(&mut transport, FEATURES)?;
        let queue = VirtQueue::new(&mut transport, REQUESTS, false, true).ok()?;
        transport.finish_init();
        Some(Self { transport, queue, token: None, interrupt: INTERRUPT + slot as u32 })
    }

    /// Reads so many bytes from the beginning on, whole pages, and returns whether the device did so.
    pub fn read(&mut self, length: usize) -> bool {
        if !self.begin_read(length) {
            return false;
        }
        loop {
            interrupt::wait();
            self.transport.ack_interrupt();
            if let Some(right) = self.end_read(length) {
                return right;
            }
        }
    }

    /// Has a read of so many bytes under way, again when the one before is over. Returns whether that is so, and was done.
    pub fn go_on(&mut self, length: usize) -> bool {
        self.transport.ack_interrupt();
        let ended = self.end_read(length);
        if self.token.is_none() {
            self.begin_read(length);
        }
        ended == Some(true)
    }

    /// Asks for so many bytes. False: there is no room for the request.
    fn begin_read(&mut self, length: usize) -> bool {
        let Self { transport, queue, token, .. } = self;
        let (mut parts, count) = parts(length);
        // SAFETY: the buffers are not touched until they are complete.
        *token = unsafe { queue.add(&[&READ], parts.get_mut(..count).unwrap_or_default()) }.ok();
        if token.is_some() && queue.should_notify() {
            transport.notify(REQUESTS);
        }
        token.is_some()
    }

    /// Whether the device did what it was asked for; none: it is at it.
    fn end_read(&mut self, length: usize) -> Option<bool> {
        let token = self.token.filter(|token| self.queue.peek_used() == Some(*token))?;
        self.token = None;
        let (mut parts, count) = parts(length);
        // SAFETY: they are the buffers of this token.
        let taken = unsafe { self.queue.pop_used(token, &[&READ], parts.get_mut(..count).unwrap_or_default()) };
        // SAFETY: the request is over.
        Some(taken == Ok(length as u32 + 1) && unsafe { (&raw const STATUS).read() } == [0])
    }

    /// Whether so many bytes from the beginning on are what the disks have, and forgets them.
    pub fn take(length: usize) -> bool {
        let room = &raw mut ROOM;
        // SAFETY: as above; nothing is under way.
        let room = unsafe { (*room).0.as_flattened_mut() };
        let room = room.get_mut(..length).unwrap_or_default();
        let right = room.iter().enumerate().all(|(at, byte)| *byte == transfers::byte(at));
        room.fill(!0);
        right
    }
}

/// The buffers that a read of so many bytes is written to, and how many there are: pages, and the status.
fn parts(length: usize) -> ([&'static mut [u8]; PAGES + 1], usize) {
    let (room, status) = (&raw mut ROOM, &raw mut STATUS);
    // SAFETY: one vCPU runs, and what devices write of it meanwhile is looked at when they are done.
    let (room, status) = unsafe { (&mut *room, &mut *status) };
    let count = length / PAGE_SIZE;
    let pages = room.0.iter_mut().take(count).map(|page| page.as_mut_slice());
    let mut parts = pages.chain([status.as_mut_slice()]);
    (from_fn(|_| parts.next().unwrap_or_default()), count + 1)
}
