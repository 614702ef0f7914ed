//! A VM with everything that connects it, the others at the other ends, and what has to come of what they do.

use std::collections::VecDeque;

use portcullis_abi::manage::{RESUME, SAVE, TRANSFER, TRANSFER_DONE};
use portcullis_abi::map::GPIO;
use portcullis_bundle::VmConfig;
use portcullis_bundle::links::{Export, Source, Wire, WireEnd};
use portcullis_devices::gpio::registers::DIR;
use portcullis_links::serial::Side;
use portcullis_vgic::GicVersion;

use super::drive::Drive;
use crate::life::tests::mover::*;
use crate::links::serial::Serial;
use crate::links::tests::disk::{disk, image};
use crate::links::tests::guest::{Area, Guest, Random, mac, network};
use crate::links::tests::ports::{OPEN, Ports};
use crate::links::tests::serial::with_console;
use crate::links::tests::served::{Manner, SIZE, Serving, TIMEOUT};
use crate::tests::guest::{load, store};
use crate::tests::rig::{Rig, vm, x};

/// The VM that moves, the one at the other ends, and the one that serves a disk. Each has the core of its number.
const MOVED: usize = 1;
const OTHER: usize = 2;
const SERVER: usize = 3;
const NETWORK: usize = 3;
/// Frames, and buffers for them, that are under way at the most in one direction.
const FRAMES: usize = 12;
const ROOMS: usize = 24;
/// Bytes of a buffer for what comes by a serial port, and how many of them there are.
const LENGTH_OF_ROOM: u32 = 128;
const PORT_ROOMS: usize = 4;
/// Bytes of the disk in RAM.
const SCRATCH: u64 = 256 << 10;

/// One end of everything but the disks.
struct End {
    net: Guest,
    /// Where its buffers for frames are, in their order.
    rooms: VecDeque<u64>,
    /// Frames that it has sent and that have not come.
    frames: VecDeque<Vec<u8>>,
    ports: Ports,
    /// Chains of bytes that it has sent and that have not come back.
    chains: usize,
    /// What it has sent by its serial port and what has not come.
    bytes: VecDeque<u8>,
    /// The level that it drives its wire to.
    level: u64,
}

impl End {
    fn new(rig: &Rig, vm: usize, features: u64) -> Self {
        let area = |queues, at: u64, buffers| Area { rings: 0x9_0000 + at, buffers, length: 0x400, count: queues };
        let mut net = Guest::new(vm, vm, NETWORK).within(area(64, 0x1_0000, 0xc_0000));
        net.begin(rig, 1 << 16 | 1 << 17 | features, &[64, 64, 16]);
        let mut ports = Ports::new(vm, vm);
        ports.guest = ports.guest.within(area(64, 0, 0));
        ports.begin_with(rig, 1, features);
        ports.say(rig, 0, OPEN, 1);
        let (rooms, frames, bytes) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { net, rooms, frames, ports, chains: 0, bytes, level: 0 }
    }

    /// Sends frames to the other one.
    fn send(&mut self, rig: &Rig, from: usize, count: usize, number: &mut u64, notifies: bool) {
        let to = MOVED + OTHER - from;
        let frames: Vec<Vec<u8>> = (0..count)
            .map(|_| {
                *number += 1;
                let mut frame = vec![0; 12];
                frame.extend(mac(to).iter().chain(&mac(from)).chain(&[8, 0]).chain(&number.to_le_bytes()));
                frame.resize(12 + 60 + (*number * 37 % 900) as usize, *number as u8);
                frame
            })
            .collect();
        let frames_of: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
        self.net.give(rig, 1, &frames_of);
        self.frames.extend(frames.iter().map(|frame| frame[12..].to_vec()));
        if notifies {
            self.net.notify(rig, 1);
        }
    }

    /// Gives buffers for frames and bytes.
    fn give_room(&mut self, rig: &Rig) {
        let missing = ROOMS - self.rooms.len();
        self.rooms.extend(self.net.take(rig, 0, missing, 1000));
        self.net.notify(rig, 0);
        self.ports.fill_room(rig, 0, PORT_ROOMS, LENGTH_OF_ROOM);
        self.ports.notify_room(rig, 0);
    }

    /// Looks at what has come from the other one, which has sent these frames and bytes.
    fn look(&mut self, rig: &Rig, frames: &mut VecDeque<Vec<u8>>, bytes: &mut VecDeque<u8>) {
        self.ports.hear(rig);
        self.ports.said_back(rig);
        self.net.used(rig, 1);
        self.chains -= self.ports.back(rig, 0);
        for (_, length) in self.net.used(rig, 0) {
            let at = self.rooms.pop_front().unwrap();
            let frame = self.net.bytes(rig, at, length as usize);
            assert!(frames.pop_front().as_deref() == Some(&frame[12..]), "each frame comes once, in order");
        }
        for byte in self.ports.got(rig, 0) {
            assert_eq!(bytes.pop_front(), Some(byte), "each byte comes once, in order");
        }
    }
}

/// See the module.
pub struct World {
    rig: Rig,
    pub random: Random,
    moved: End,
    other: End,
    drives: [Drive; 3],
    serving: Serving,
    /// The number of the last frame.
    number: u64,
    /// The next byte that is sent by a serial port.
    byte: u8,
    /// How often each kind of work was done.
    pub counts: [u64; 7],
}

impl World {
    pub fn new(gic: GicVersion, features: u64, random: Random) -> Self {
        let end = |vm, line| WireEnd { vm, line };
        let wires = [
            Wire { name: "there", from: end(MOVED, 2), to: end(OTHER, 5) },
            Wire { name: "back", from: end(OTHER, 6), to: end(MOVED, 3) },
        ];
        let export = Export { server: SERVER, size: SIZE as u64, read_only: false, name: "", timeout: TIMEOUT };
        let disks = [
            disk("rom", MOVED, 4, Source::Image(image())),
            disk("ram", MOVED, 5, Source::Scratch(SCRATCH)),
            disk("far", MOVED, 6, Source::Served(export)),
        ];
        let moved = VmConfig { console: Some(0), ..movable("a", &[1]) };
        let vms = [vm("ops", &[0]), moved, with_console("b", 2), with_console("server", 3)];
        let serials = vec![Serial::new("uplink", [MOVED, OTHER])];
        let rig = Rig::with_links(gic, &vms, vec![network(3)], serials, &disks, &wires);
        rig.settle();
        let [moved, other] = [MOVED, OTHER].map(|vm| End::new(&rig, vm, features));
        for (vm, out) in [(MOVED, 2), (OTHER, 6)] {
            rig.guest(vm, move |context| store(context, GPIO + DIR, 1 << out));
        }
        let contents = [image().to_vec(), vec![0; SCRATCH as usize], (0..SIZE).map(|at| (at % 251) as u8).collect()];
        let mut slot = 3;
        let drives = contents.map(|content| {
            slot += 1;
            Drive::new(&rig, MOVED, slot, features, content)
        });
        let mut serving = Serving::in_vm(&rig, SERVER, SERVER, Manner::good());
        serving.open(&rig);
        serving.settle(&rig);
        Self { rig, random, moved, other, drives, serving, number: 0, byte: 0, counts: [0; 7] }
    }

    /// Does some work, and leaves it where it is.
    pub fn step(&mut self) {
        let kind = self.random.below(7) as usize;
        self.counts[kind] += 1;
        let Self { rig, random, moved, other, drives, .. } = self;
        match kind {
            0 | 1 => {
                let (end, other, from) = if kind == 0 { (moved, other, MOVED) } else { (other, moved, OTHER) };
                // For what has no buffer waiting, a network is full.
                let most = (other.rooms.len() - end.frames.len()).min(FRAMES - end.frames.len());
                let count = (1 + random.below(3) as usize).min(most);
                end.send(rig, from, count, &mut self.number, random.below(3) > 0);
            }
            2 => {
                for end in [moved, other] {
                    if random.below(2) == 0 {
                        end.give_room(rig);
                    }
                }
            }
            3 => {
                let end = if random.below(2) == 0 { moved } else { other };
                if end.chains < 8 {
                    let length = 1 + random.below(LENGTH_OF_ROOM.into()) as usize;
                    let bytes: Vec<u8> = (0..length).map(|at| self.byte.wrapping_add(at as u8)).collect();
                    self.byte = self.byte.wrapping_add(length as u8);
                    end.ports.queue(rig, 0, &bytes);
                    if random.below(3) > 0 {
                        end.ports.notify(rig, 0);
                    }
                    end.chains += 1;
                    end.bytes.extend(bytes);
                }
            }
            4 => drives[random.below(3) as usize].ask(rig, random),
            5 => {
                let (end, vm, line) = if random.below(2) == 0 { (moved, MOVED, 2) } else { (other, OTHER, 6) };
                end.level ^= 1;
                let level = end.level << line;
                rig.guest(vm, move |context| store(context, GPIO + (4 << line), level));
            }
            _ => {
                self.look();
                let most = self.random.below(3000) as usize;
                self.serving.turn(&self.rig, most);
            }
        }
    }

    /// Everybody looks at what has come.
    fn look(&mut self) {
        let Self { rig, moved, other, drives, .. } = self;
        moved.look(rig, &mut other.frames, &mut other.bytes);
        other.look(rig, &mut moved.frames, &mut moved.bytes);
        drives.iter_mut().for_each(|drive| drive.look(rig));
    }

    /// The VM goes away, and comes back.
    pub fn moves(&mut self) {
        let Self { rig, serving, other, .. } = self;
        pause(rig);
        let stream = Self::save(rig, serving);
        let dropped = || rig.machine.links.serials()[0].counters(Side::B).dropped as usize;
        let before = dropped();
        recreate(rig);
        // For the other one the port was closed: what it had sent and nobody had taken is dropped and counted.
        other.ports.notify(rig, 0);
        rig.settle();
        other.bytes.truncate(other.bytes.len() - (dropped() - before));
        assert_eq!(restore(rig, &stream, LENGTH), 0);
        let again = Self::save(rig, serving);
        assert!(again == stream, "what is saved then is what was restored");
        ok(rig, RESUME, [A, 0, 0]);
        runs(rig);
    }

    /// The stream of the VM, whose disk's server answers meanwhile.
    fn save(rig: &Rig, serving: &mut Serving) -> Vec<u8> {
        ok(rig, SAVE, [A, 0, 0]);
        let (mut stream, mut waits) = (Vec::new(), 0);
        loop {
            let [_, bytes, progress, _] = ok(rig, TRANSFER, [BUFFER, LENGTH as u64, 0]);
            // SAFETY: it is the control VM's RAM, which is there for ever, and whose core does nothing now.
            stream.extend_from_slice(unsafe { core::slice::from_raw_parts(buffer(rig), bytes as usize) });
            if progress == TRANSFER_DONE {
                return stream;
            }
            if bytes == 0 {
                assert!(waits < 100, "the server answers");
                waits += 1;
                serving.settle(rig);
            }
        }
    }

    /// All that is in flight comes.
    pub fn settle(&mut self) {
        for _ in 0..40 {
            let Self { rig, moved, other, drives, serving, .. } = self;
            for end in [&mut *moved, other] {
                end.give_room(rig);
                end.net.notify(rig, 1);
                end.ports.notify(rig, 0);
            }
            drives.iter().for_each(|drive| drive.notify(rig));
            rig.settle();
            serving.settle(rig);
            self.look();
            let Self { moved, other, drives, .. } = self;
            if drives.iter().all(Drive::is_idle)
                && [&*moved, other].iter().all(|end| end.frames.is_empty() && end.bytes.is_empty())
            {
                break;
            }
        }
        let Self { rig, moved, other, drives, .. } = self;
        for end in [&*moved, other] {
            assert_eq!((end.frames.len(), end.bytes.len(), end.chains), (0, 0, 0), "nothing is lost");
        }
        assert!(drives.iter().all(Drive::is_idle), "every request is answered");
        for (vm, line, level) in [(OTHER, 5, moved.level), (MOVED, 3, other.level)] {
            let seen = x(rig.guest(vm, move |_| load(GPIO + (4 << line))), 0) >> line & 1;
            assert_eq!(seen, level, "the wire's level");
        }
    }
}
