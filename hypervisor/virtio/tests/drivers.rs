//! Queues and transport against the driver's side of `virtio-drivers`.

// Miri ends the test where these drivers hold a box and a pointer into it.
#![cfg(not(miri))]

mod peer;

use peer::{Arena, Backend, Peer};
use portcullis_virtio::features::{EVENT_IDX, EVERY, INDIRECT_DESC, VERSION_1};
use portcullis_virtio::mmio::{Effect, Identity, Transport};
use portcullis_virtio::{Chain, Queue};
use virtio_drivers::device::rng::VirtIORng;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::{DeviceStatus, InterruptStatus, Transport as _};

/// DeviceID of an entropy source.
const ENTROPY: u32 = 4;

/// Answers each chain with what it read, the last byte first; where there was nothing to read, by counting.
struct Echo {
    queue: Option<Queue>,
    chain: Chain,
    /// Chains that stay with the device until there are so many.
    late: usize,
    waiting: Vec<u16>,
    failed: Option<String>,
}

impl Echo {
    fn new(late: usize) -> Self {
        Self { queue: None, chain: Chain::new(), late, waiting: Vec::new(), failed: None }
    }

    fn answer(&mut self, memory: &mut Arena, head: u16) {
        let queue = self.queue.as_mut().unwrap();
        queue.again(memory, head, &mut self.chain).unwrap();
        let mut bytes = vec![0; self.chain.readable() as usize];
        assert_eq!(self.chain.reader().read(memory, &mut bytes).unwrap(), bytes.len());
        bytes.reverse();
        if bytes.is_empty() {
            bytes = (0..self.chain.writable()).map(|i| i as u8).collect();
        }
        let written = self.chain.writer().write(memory, &bytes).unwrap();
        queue.put(memory, head, written as u32).unwrap();
    }
}

impl Backend<1> for Echo {
    fn act(&mut self, effect: Effect, transport: &mut Transport<1>, memory: &mut Arena) {
        match effect {
            Effect::DriverOk => {
                let layout = transport.layout(0).unwrap();
                self.queue = Some(Queue::new(layout, transport.features(), memory).unwrap());
            }
            Effect::Notify(0) => {
                let queue = self.queue.as_mut().unwrap();
                loop {
                    while queue.take(memory, &mut self.chain).unwrap() {
                        self.waiting.push(self.chain.head());
                    }
                    if !queue.listen(memory).unwrap() {
                        break;
                    }
                }
                if self.waiting.len() >= self.late {
                    // The last comes back first.
                    while let Some(head) = self.waiting.pop() {
                        self.answer(memory, head);
                    }
                }
                if self.queue.as_mut().unwrap().publish(memory).unwrap() {
                    transport.used();
                }
            }
            Effect::Reset => *self = Self::new(self.late),
            Effect::Failed(_, fault) => self.failed = Some(fault.to_string()),
            Effect::None | Effect::Notify(_) | Effect::Raise | Effect::Stop(_) => {}
        }
    }
}

fn device(features: u64, late: usize) -> Peer<1, Echo> {
    let identity = Identity { device: ENTROPY, features, accepts: |_| true, queues: [256] };
    Peer::new(Transport::new(identity), Echo::new(late))
}

/// As the driver's features: all that were offered.
fn accept(peer: &mut Peer<1, Echo>) {
    let features = peer.read_device_features();
    peer.write_driver_features(features);
    for status in [1, 3, 11] {
        peer.set_status(DeviceStatus::from_bits_truncate(status));
    }
}

fn echo<const SIZE: usize>(features: u64, rounds: usize) {
    let mut peer = device(features, 1);
    accept(&mut peer);
    let (indirect, event_idx) = (features & INDIRECT_DESC != 0, features & EVENT_IDX != 0);
    let mut queue = VirtQueue::<Arena, SIZE>::new(&mut peer, 0, indirect, event_idx).unwrap();
    peer.finish_init();
    let mut seed = 0x0123_4567_89ab_cdef_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below) as usize
    };
    for round in 0..rounds {
        let sent: Vec<Vec<u8>> =
            (0..random(SIZE as u64 / 2)).map(|_| (0..=random(90)).map(|_| random(256) as u8).collect()).collect();
        let mut got: Vec<Vec<u8>> = (0..=random(SIZE as u64 / 2 - 1)).map(|_| vec![0; 1 + random(90)]).collect();
        let inputs: Vec<&[u8]> = sent.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<&mut [u8]> = got.iter_mut().map(Vec::as_mut_slice).collect();
        let written = queue.add_notify_wait_pop(&inputs, &mut outputs, &mut peer).unwrap() as usize;
        let mut text = sent.concat();
        text.reverse();
        let there = got.concat();
        if text.is_empty() {
            text = (0..there.len()).map(|i| i as u8).collect();
        }
        text.truncate(there.len());
        assert_eq!((written, &there[..written]), (text.len(), text.as_slice()), "round {round}");
    }
    drop(queue);
    assert_eq!((peer.0.borrow().backend.failed.clone(), Arena::pieces()), (None, 0));
}

#[test]
fn chains_of_any_shape_with_every_combination_of_features() {
    let rounds = 3000;
    for features in [0, INDIRECT_DESC, EVENT_IDX, INDIRECT_DESC | EVENT_IDX] {
        echo::<8>(VERSION_1 | features, rounds);
        echo::<64>(VERSION_1 | features, rounds / 3);
    }
}

#[test]
fn many_chains_at_once_come_back_in_another_order() {
    const SIZE: usize = 32;
    for features in [VERSION_1, EVERY] {
        let mut peer = device(features, SIZE);
        accept(&mut peer);
        let indirect = features & INDIRECT_DESC != 0;
        let mut queue = VirtQueue::<Arena, SIZE>::new(&mut peer, 0, indirect, indirect).unwrap();
        peer.finish_init();
        for round in 0..200_u8 {
            let mut got: Vec<[u8; 8]> = vec![[round; 8]; SIZE];
            let mut tokens = Vec::new();
            for buffer in &mut got {
                // SAFETY: the buffers stay until they are popped below, in this round.
                tokens.push(unsafe { queue.add(&[], &mut [buffer.as_mut_slice()]) }.unwrap());
                peer.notify(0);
            }
            assert!(peer.ack_interrupt() == InterruptStatus::QUEUE_INTERRUPT);
            for _ in 0..SIZE {
                let token = queue.peek_used().unwrap();
                let place = tokens.iter().position(|other| *other == token).unwrap();
                // SAFETY: it is the buffer that was given with this token.
                let written = unsafe { queue.pop_used(token, &[], &mut [got[place].as_mut_slice()]) }.unwrap();
                assert_eq!((written, got[place]), (8, [0, 1, 2, 3, 4, 5, 6, 7]));
            }
            assert!(!queue.can_pop());
        }
    }
}

#[test]
fn a_driver_of_an_entropy_source() {
    let peer = device(EVERY, 1);
    let mut driver = VirtIORng::<Arena, _>::new(peer.clone()).unwrap();
    for length in [1, 32, 1000] {
        let mut bytes = vec![0xff; length];
        assert_eq!(driver.request_entropy(&mut bytes).unwrap(), length);
        assert_eq!(bytes, (0..length).map(|i| i as u8).collect::<Vec<_>>());
    }
    assert!(driver.ack_interrupt() == InterruptStatus::QUEUE_INTERRUPT);
    assert!(peer.0.borrow().transport.is_running());
    drop(driver);
    // It takes its queue back when it goes; what it was put together from resets the device.
    assert_eq!((peer.0.borrow().transport.layout(0), Arena::pieces()), (None, 0));
    let mut peer = peer;
    peer.set_status(DeviceStatus::empty());
    let device = peer.0.borrow();
    assert!(!device.transport.is_running() && device.backend.queue.is_none());
}
