//! Two VMs at a network: one asks, the other answers each frame. The driver is that of the crate `virtio-drivers`.

use guest_runtime::counter;
use guest_virtio::{Memory, transports};
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::DeviceType;
use virtio_drivers::transport::mmio::MmioTransport;

use crate::guest::report;

/// Chains of a queue.
const QUEUE: usize = 32;
/// Frames that are under way at once.
const BURST: usize = 16;
/// How often the same is asked.
const ATTEMPTS: usize = 100;
/// Bytes of a buffer.
const BUFFER: usize = 2048;
/// Bytes of the longest frame, and of an Ethernet header.
const LONGEST: usize = 1514;
const HEADER: usize = 14;
/// EtherTypes of what is asked, and of the end.
const ASK: [u8; 2] = [0x88, 0xb5];
const END: [u8; 2] = [0x88, 0xb6];

static mut BUFFERS: [[u8; BUFFER]; QUEUE] = [[0; BUFFER]; QUEUE];

type Driver = VirtIONetRaw<Memory, MmioTransport<'static>, QUEUE>;

/// A network device with buffers.
struct Port {
    driver: Driver,
    /// By token the buffer that it stands for.
    tokens: [usize; QUEUE],
}

impl Port {
    /// The first network device.
    fn find() -> Option<Self> {
        let (_, transport) = transports(DeviceType::Network).next()?;
        let mut port = Self { driver: Driver::new(transport).ok()?, tokens: [0; QUEUE] };
        (0..QUEUE).for_each(|buffer| port.give(buffer));
        Some(port)
    }

    fn buffer(&self, number: usize) -> &'static mut [u8] {
        let buffers = (&raw mut BUFFERS).cast::<[u8; BUFFER]>();
        // SAFETY: there are so many; each is with the device or in use here, and one vCPU runs.
        unsafe { &mut *buffers.wrapping_add(number % QUEUE) }
    }

    fn give(&mut self, number: usize) {
        let buffer = self.buffer(number);
        // SAFETY: the buffer is not touched until it is complete.
        if let Ok(token) = unsafe { self.driver.receive_begin(buffer) } {
            self.tokens[usize::from(token)] = number;
        }
    }

    /// The next frame, if one comes in so many microseconds.
    fn receive<R>(&mut self, microseconds: u64, take: impl FnOnce(&mut Self, &mut [u8]) -> R) -> Option<R> {
        let mut token = None;
        counter::wait_until(microseconds, || {
            token = self.driver.poll_receive();
            token.is_some()
        });
        let token = token?;
        let number = self.tokens[usize::from(token)];
        let buffer = self.buffer(number);
        // SAFETY: it is the buffer of this token.
        let (header, length) = unsafe { self.driver.receive_complete(token, buffer) }.ok()?;
        let result = take(self, buffer.get_mut(header..header + length)?);
        self.give(number);
        Some(result)
    }

    fn send(&mut self, frame: &[u8]) {
        let sent = self.driver.send(frame);
        assert!(sent.is_ok(), "a frame is taken");
    }
}

/// A frame that counts from `seed` on.
fn fill(frame: &mut [u8], to: [u8; 6], from: [u8; 6], kind: [u8; 2], seed: usize) {
    for (place, byte) in frame.iter_mut().zip(to.into_iter().chain(from).chain(kind)) {
        *place = byte;
    }
    for (number, place) in frame.iter_mut().enumerate().skip(HEADER) {
        *place = (number + seed) as u8;
    }
}

/// Answers each frame to whoever sent it, until one says that it is the last.
pub fn answer() {
    let Some(mut port) = Port::find() else { return report::fail(format_args!("links/device"), &"a network", &"none") };
    let own = port.driver.mac_address();
    let (mut answered, mut ended) = (0_u64, false);
    while !ended {
        let took = port.receive(20_000_000, |port, frame| {
            let (head, _) = frame.split_at_mut(HEADER);
            let mut to = [0; 6];
            to.copy_from_slice(&head[6..12]);
            head[..6].copy_from_slice(&to);
            head[6..12].copy_from_slice(&own);
            let ends = head[12..] == END;
            port.send(frame);
            ends
        });
        match took {
            Some(ends) => (answered, ended) = (answered + 1, ends),
            None => break,
        }
    }
    report::holds(
        format_args!("links/answered"),
        ended && answered > 200,
        "more than 200 frames, and the last one",
        &answered,
    );
}

/// Asks everybody until somebody answers. Returns who that is.
fn find_peer(port: &mut Port, own: [u8; 6]) -> Option<[u8; 6]> {
    let mut frame = [0; 60];
    fill(&mut frame, [0xff; 6], own, ASK, 0);
    let peer = (0..200).find_map(|_| {
        port.send(&frame);
        port.receive(100_000, |_, frame| {
            let mut from = [0; 6];
            from.copy_from_slice(&frame[6..12]);
            from
        })
    });
    // What was asked more than once is answered more than once.
    while peer.is_some() && port.receive(200_000, |_, _| ()).is_some() {}
    peer
}

/// Asks one at a time for so many seconds, and again where no answer comes: either of the two may be away meanwhile.
pub fn stay(seconds: u64) {
    let Some(mut port) = Port::find() else { return report::fail(format_args!("links/device"), &"a network", &"none") };
    let own = port.driver.mac_address();
    let Some(peer) = find_peer(&mut port, own) else {
        return report::fail(format_args!("links/broadcast"), &"an answer", &"none");
    };
    let mut bed = [0; LONGEST];
    let (mut rounds, mut again, mut unanswered) = (0, 0, None);
    let end = counter::virtual_count() + counter::ticks(seconds * 1_000_000);
    while counter::virtual_count() < end && unanswered.is_none() {
        let length = [60, 300, 1000, LONGEST][rounds % 4];
        let frame = &mut bed[..length];
        fill(frame, peer, own, ASK, rounds);
        let answered = (0..ATTEMPTS).any(|attempt| {
            again += u32::from(attempt > 0);
            port.send(&bed[..length]);
            // What was asked before may be answered late.
            let is_answer = |_: &mut Port, got: &mut [u8]| got.len() == length && got[HEADER..] == bed[HEADER..length];
            (0..QUEUE).find_map(|_| port.receive(100_000, is_answer).map_or(Some(false), |is| is.then_some(true)))
                == Some(true)
        });
        if answered { rounds += 1 } else { unanswered = Some(rounds) }
    }
    report::equal(format_args!("links/each is answered in the end"), None, unanswered);
    report::holds(format_args!("links/many are answered"), rounds > 50, "more than 50", &rounds);
    report::holds(format_args!("links/somebody was away"), again > 0, "no answer at first", &again);
    let frame = &mut bed[..60];
    fill(frame, peer, own, END, 0);
    port.send(frame);
}

/// Asks, with frames of all lengths, one at a time and many at once.
pub fn ask() {
    let Some(mut port) = Port::find() else { return report::fail(format_args!("links/device"), &"a network", &"none") };
    let own = port.driver.mac_address();
    let mut bed = [0; LONGEST];
    let peer = find_peer(&mut port, own);
    let Some(peer) = peer else { return report::fail(format_args!("links/broadcast"), &"an answer", &"none") };
    report::pass(format_args!("links/broadcast"));
    let mut wrong = None;
    for (round, length) in [60, 61, 127, 128, 300, 1000, 1513, LONGEST].into_iter().cycle().take(200).enumerate() {
        let frame = &mut bed[..length];
        fill(frame, peer, own, ASK, round);
        port.send(frame);
        let came = port.receive(5_000_000, |_, got| got.len() == length && got[HEADER..] == bed[HEADER..length]);
        if came != Some(true) && wrong.is_none() {
            wrong = Some((round, length, came));
        }
    }
    report::equal(format_args!("links/one-at-a-time"), None, wrong);
    let mut came = 0;
    for burst in 0..20 {
        for number in 0..BURST {
            let frame = &mut bed[..LONGEST];
            fill(frame, peer, own, ASK, burst + number);
            port.send(frame);
        }
        while came < (burst + 1) * BURST && port.receive(5_000_000, |_, _| ()).is_some() {
            came += 1;
        }
    }
    report::equal(format_args!("links/bursts"), 20 * BURST, came);
    let frame = &mut bed[..60];
    fill(frame, peer, own, END, 0);
    port.send(frame);
    report::holds(format_args!("links/end"), port.receive(5_000_000, |_, _| ()).is_some(), "an answer", &"none");
}
