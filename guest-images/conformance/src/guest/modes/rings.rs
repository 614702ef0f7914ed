//! The worst of drivers: descriptors, indices, lengths, addresses and registers at random, at every virtio device that the VM has,
//! and at its wires. Some of it is as it should be, or the devices would not get far. Who is at the other ends must not notice but
//! for what reaches it.

use conformance::profile::Profile;
use guest_runtime::random::Random;
use guest_runtime::{console, mmio};
use portcullis_abi::map::{GPIO, VIRTIO, VIRTIO_SIZE, VIRTIO_SLOTS};

use crate::guest::report;

/// Registers (virtio 1.2, section 4.2.2).
const DEVICE_ID: u64 = 0x8;
const DEVICE_FEATURES: u64 = 0x10;
const DEVICE_FEATURES_SEL: u64 = 0x14;
const DRIVER_FEATURES: u64 = 0x20;
const DRIVER_FEATURES_SEL: u64 = 0x24;
const QUEUE_SEL: u64 = 0x30;
const QUEUE_NUM_MAX: u64 = 0x34;
const QUEUE_NUM: u64 = 0x38;
const QUEUE_READY: u64 = 0x44;
const QUEUE_NOTIFY: u64 = 0x50;
const INTERRUPT_STATUS: u64 = 0x60;
const INTERRUPT_ACK: u64 = 0x64;
const STATUS: u64 = 0x70;
/// Of the table of descriptors, of the driver's ring, of the device's.
const ADDRESSES: [u64; 3] = [0x80, 0x90, 0xa0];
/// Where registers end, and a device's configuration begins.
const CONFIG: u64 = 0x100;
/// ACKNOWLEDGE, DRIVER and FEATURES_OK; DRIVER_OK; DEVICE_NEEDS_RESET.
const NEGOTIATED: u32 = 11;
const DRIVER_OK: u32 = 4;
const NEEDS_RESET: u32 = 64;
/// VIRTIO_F_VERSION_1, in the upper word.
const VERSION_1: u32 = 1;
/// Flags of a descriptor: another one follows, the device writes, it is a table.
const NEXT: u16 = 1;
const WRITE: u16 = 2;
const INDIRECT: u16 = 4;

/// Devices that are looked at, queues of each, and chains of a queue.
const DEVICES: usize = 4;
const QUEUES: usize = 8;
const SIZE: u16 = 16;
/// Bytes of a device's memory, of a queue's part of it, and where in that its rings begin.
const ARENA: usize = 32 << 10;
const QUEUE: usize = 1 << 10;
const DRIVER_RING: usize = 0x100;
const DEVICE_RING: usize = 0x180;
/// Where a device's buffers begin, and how many bytes there are.
const BUFFERS: usize = QUEUES * QUEUE;
const ROOM: u64 = (ARENA - BUFFERS) as u64;

#[repr(C, align(4096))]
struct Arenas([[u8; ARENA]; DEVICES]);

static mut ARENAS: Arenas = Arenas([[0; ARENA]; DEVICES]);

/// A device under attack.
#[derive(Clone, Copy, Default)]
struct Device {
    /// Its registers; zero: there is none.
    at: u64,
    kind: u32,
    /// Where its memory begins.
    arena: u64,
    /// By queue: the index that the device was shown last, and what it has given back.
    shown: [u16; QUEUES],
    used: [u16; QUEUES],
}

/// What came of it.
#[derive(Debug, Default)]
struct Tally {
    rounds: u64,
    starts: u64,
    broken: u64,
    given_back: u64,
}

/// Does something so many times.
pub fn run(profile: &Profile) {
    let mut random = Random::new(profile.seed);
    let mut devices = find();
    let count = devices.iter().filter(|device| device.at != 0).count();
    let mut tally = Tally::default();
    while tally.rounds < profile.calls && count > 0 {
        let which = random.below(count as u64) as usize;
        if let Some(device) = devices.get_mut(which) {
            round(device, &mut random, &mut tally);
        }
        tally.rounds += 1;
    }
    console::line(format_args!("rings: {count} devices, {tally:?}"));
    let met = count > 0 && tally.broken > 100 && tally.given_back > 100;
    report::holds(format_args!("rings/devices work and break"), met, "more than 100 times either", &tally);
    let back = devices.iter().take(count).all(|device| {
        mmio::write32(device.at + STATUS, 0);
        mmio::read32(device.at + STATUS) == 0 && mmio::read32(device.at + DEVICE_ID) == device.kind
    });
    report::equal(format_args!("rings/every device can be reset"), true, back);
}

/// The devices, from the lowest transport up.
fn find() -> [Device; DEVICES] {
    let mut devices = [Device::default(); DEVICES];
    let all = (0..VIRTIO_SLOTS as u64).map(|slot| VIRTIO + slot * VIRTIO_SIZE);
    let there = all.filter(|at| mmio::read32(at + DEVICE_ID) != 0);
    for ((number, place), at) in devices.iter_mut().enumerate().zip(there) {
        let arena = (&raw mut ARENAS) as u64 + (number * ARENA) as u64;
        *place = Device { at, kind: mmio::read32(at + DEVICE_ID), arena, ..Device::default() };
    }
    devices
}

/// Something that is done to a device.
fn round(device: &mut Device, random: &mut Random, tally: &mut Tally) {
    match random.below(64) {
        0 => begin(device, random, tally),
        // Registers, the status among them, by accesses of every width.
        1 => {
            let (at, value) = (device.at + (random.below(CONFIG + 0x40) & !3), random.next());
            match random.below(4) {
                0 => mmio::write64(at & !7, value),
                1 => mmio::write8(at + random.below(4), value as u8),
                _ => mmio::write32(at, value as u32),
            }
        }
        2 => _ = mmio::read32(device.at + (random.below(CONFIG + 0x80) & !3)),
        3 => mmio::write32(device.at + STATUS, random.pick(&[0, 1, 3, 7, 11, 15, 128])),
        4 => {
            mmio::write32(GPIO + random.pick(&[0x3fc, 0x400, 0x404, 0x408, 0x40c, 0x410, 0x41c]), random.next() as u32)
        }
        // Whatever lies in its rings.
        5 => {
            let place = device.arena + random.below(BUFFERS as u64);
            put(place, &[random.next() as u8]);
        }
        _ => {
            let queue = random.below(QUEUES as u64) as usize;
            for _ in 0..=random.below(4) {
                offer(device, queue, random);
            }
            if random.below(8) == 0 {
                device.shown[queue] = random.next() as u16;
            }
            put(ring(device, queue, DRIVER_RING) + 2, &device.shown[queue].to_le_bytes());
            mmio::write32(device.at + QUEUE_NOTIFY, queue as u32);
            let used = get(ring(device, queue, DEVICE_RING) + 2);
            tally.given_back += u64::from(used.wrapping_sub(device.used[queue]).min(SIZE));
            device.used[queue] = used;
        }
    }
    let pending = mmio::read32(device.at + INTERRUPT_STATUS);
    mmio::write32(device.at + INTERRUPT_ACK, pending);
    let status = mmio::read32(device.at + STATUS);
    tally.broken += u64::from(status & NEEDS_RESET != 0);
    if status & NEEDS_RESET != 0 || status & DRIVER_OK == 0 {
        begin(device, random, tally);
    }
}

/// Resets the device and begins as a driver does, more or less.
fn begin(device: &mut Device, random: &mut Random, tally: &mut Tally) {
    tally.starts += 1;
    let write = |offset, value| mmio::write32(device.at + offset, value);
    write(STATUS, 0);
    (device.shown, device.used) = ([0; QUEUES], [0; QUEUES]);
    let arena = device.arena as *mut u8;
    // SAFETY: it is the device's memory, which does not touch it any more, and one vCPU runs.
    unsafe { core::ptr::write_bytes(arena, 0, BUFFERS) };
    write(STATUS, 3);
    for word in [0, 1] {
        write(DEVICE_FEATURES_SEL, word);
        let offered = mmio::read32(device.at + DEVICE_FEATURES);
        let wanted = if random.below(2) == 0 { offered } else { offered & random.next() as u32 };
        write(DRIVER_FEATURES_SEL, word);
        write(DRIVER_FEATURES, if word == 1 { wanted | VERSION_1 } else { wanted });
    }
    write(STATUS, NEGOTIATED);
    for queue in 0..QUEUES {
        write(QUEUE_SEL, queue as u32);
        let most = mmio::read32(device.at + QUEUE_NUM_MAX);
        if most == 0 || random.below(16) == 0 {
            continue;
        }
        let strange = random.below(24) == 0;
        write(QUEUE_NUM, if strange { random.next() as u32 & 0x1ff } else { u32::from(SIZE).min(most) });
        for (register, offset) in ADDRESSES.into_iter().zip([0, DRIVER_RING, DEVICE_RING]) {
            let at = if random.below(96) == 0 { address(device, random) } else { ring(device, queue, offset) };
            write(register, at as u32);
            write(register + 4, (at >> 32) as u32);
        }
        write(QUEUE_READY, 1);
    }
    write(STATUS, NEGOTIATED | DRIVER_OK);
    // A console says what it has, and opens its ports.
    if device.kind == 3 {
        for (port, event) in [(0, 0), (0, 3), (1, 3), (0, 6), (1, 6)] {
            let message = [port, 0, 0, 0, event, 0, 1, 0];
            put(device.arena + BUFFERS as u64, &message);
            chain(device, 3, &[(device.arena + BUFFERS as u64, 8, 0)]);
            put(ring(device, 3, DRIVER_RING) + 2, &device.shown[3].to_le_bytes());
            mmio::write32(device.at + QUEUE_NOTIFY, 3);
        }
    }
}

/// Puts a chain into a queue, which means something or does not.
fn offer(device: &mut Device, queue: usize, random: &mut Random) {
    let mut buffers = [(0_u64, 0_u32, 0_u16); 4];
    let count = 1 + random.below(4) as usize;
    let readable = match (device.kind, queue) {
        _ if random.below(16) == 0 => random.below(count as u64 + 1) as usize,
        // What is received, and what is sent.
        (1, 0) | (3, 0 | 2 | 4 | 6) => 0,
        (1, 1) | (3, _) => count,
        // A header, and room for an answer.
        _ => count.div_ceil(2),
    };
    for (number, place) in buffers.iter_mut().enumerate().take(count) {
        let at = device.arena + BUFFERS as u64 + (random.below(ROOM - 2048) & !15);
        let length = random.pick(&[1, 8, 16, 26, 64, 512, 1500, 2048]);
        *place = (at, length, if number < readable { 0 } else { WRITE });
    }
    if let Some((at, length, _)) = buffers.first_mut() {
        let bytes = head(device.kind, random);
        put(*at, &bytes);
        *length = (*length).max(16);
    }
    // What no device takes.
    if random.below(48) == 0 {
        let spoiled = random.below(count as u64) as usize;
        let [at, length] = [address(device, random), random.next()];
        match (random.below(4), buffers.get_mut(spoiled)) {
            (0, Some(buffer)) => buffer.0 = at,
            (1, Some(buffer)) => buffer.1 = length as u32,
            (2, Some(buffer)) => buffer.1 = 0,
            (_, Some(buffer)) => buffer.2 = random.next() as u16 & (NEXT | WRITE | INDIRECT),
            (_, None) => {}
        }
    }
    chain(device, queue, buffers.get(..count).unwrap_or_default());
}

/// Puts a chain of these buffers into a queue, behind what is there.
fn chain(device: &mut Device, queue: usize, buffers: &[(u64, u32, u16)]) {
    let first = device.shown[queue].wrapping_mul(4) % SIZE;
    for (number, (at, length, flags)) in (first..).zip(buffers) {
        let last = usize::from(number - first) + 1 == buffers.len();
        let flags = if last { *flags } else { flags | NEXT };
        let place = ring(device, queue, usize::from(number % SIZE) * 16);
        put(place, &at.to_le_bytes());
        put(place + 8, &length.to_le_bytes());
        put(place + 12, &flags.to_le_bytes());
        put(place + 14, &((number + 1) % SIZE).to_le_bytes());
    }
    let entry = ring(device, queue, DRIVER_RING) + 4 + u64::from(device.shown[queue] % SIZE) * 2;
    put(entry, &first.to_le_bytes());
    device.shown[queue] = device.shown[queue].wrapping_add(1);
}

/// What a buffer begins with, for a device of this kind.
fn head(kind: u32, random: &mut Random) -> [u8; 16] {
    let mut bytes = [0; 16];
    match kind {
        // A frame for all, whose header asks for nothing, or for anything.
        1 if random.below(4) > 0 => bytes[12..].fill(0xff),
        // Read, write, flush, name, discard, zeros; a sector near the beginning.
        2 => {
            bytes[0] = random.pick(&[0, 1, 4, 8, 11, 13, 99]);
            bytes[8..10].copy_from_slice(&(random.below(300) as u16).to_le_bytes());
        }
        // A port and what is said of it.
        3 => {
            (bytes[0], bytes[4], bytes[6]) = (random.below(4) as u8, random.below(8) as u8, random.below(2) as u8);
        }
        _ => bytes = (u128::from(random.next()) << 64 | u128::from(random.next())).to_le_bytes(),
    }
    bytes
}

/// An address in the device's memory, at the ends of this VM's, or anywhere.
fn address(device: &Device, random: &mut Random) -> u64 {
    match random.below(4) {
        0 => device.arena + random.below(ARENA as u64),
        1 => random.pick(&[0, 0x0900_0000, 0x3fff_fff0, 0x4000_0000, 0x403f_fff8, u64::MAX - 8]),
        2 => random.next() & 0xffff_ffff,
        _ => random.next(),
    }
}

/// The address of a place in a queue's part of a device's memory.
const fn ring(device: &Device, queue: usize, offset: usize) -> u64 {
    device.arena + (queue * QUEUE + offset) as u64
}

/// Writes bytes to a device's memory.
fn put(at: u64, bytes: &[u8]) {
    for (at, byte) in (at..).zip(bytes) {
        // SAFETY: every caller's place is in the arena of its device, which nobody refers to.
        unsafe { (at as *mut u8).write_volatile(*byte) };
    }
}

/// Reads an index in a device's memory.
fn get(at: u64) -> u16 {
    // SAFETY: as above; it is aligned.
    unsafe { (at as *const u16).read_volatile() }
}
