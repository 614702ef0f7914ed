//! Drivers and peers at random: frames, requests of disks, bytes of an NBD server, messages about ports.
#![no_main]

use fuzz::operations;
use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use portcullis_links::disk::{Flow, Geometry, Local, Region, Served};
use portcullis_links::network::{Frame, Given, Mac, Port, Stage, Switch, Traffic, control, deliver};
use portcullis_links::serial;
use portcullis_links::serial::{Console, Pair, Port as Line, Side};
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::{Budget, Chain, Features, Queue};

/// Bytes of a guest's memory.
const SIZE: usize = 1 << 16;
const DATA: u64 = START + 0x2000;

fuzz_target!(|data: &[u8]| {
    let mut steps = Unstructured::new(data);
    let _ = match steps.int_in_range(0..=4u8) {
        Ok(0) => network(&mut steps),
        Ok(1) => local(&mut steps),
        Ok(2) => served(&mut steps),
        Ok(3) => ports(&mut steps),
        Ok(_) => pair(&mut steps),
        Err(_) => Ok(()),
    };
});

/// A guest with one queue.
struct Guest {
    ram: Ram,
    driver: Driver,
    queue: Queue,
    chain: Chain,
}

impl Guest {
    fn new() -> Self {
        let (ram, driver) = (Ram::new(SIZE), Driver::new(START, 32));
        let features = Features { indirect: true, event_index: true };
        let queue = Queue::new(driver.layout, features, &ram).unwrap();
        Self { ram, driver, queue, chain: Chain::new() }
    }

    /// A chain of a few buffers with bytes in them; it may be none that is allowed.
    fn give(&mut self, steps: &mut Unstructured, prefix: &[u8]) -> Result<()> {
        operations::count(1);
        let mut at = DATA + u64::from(steps.arbitrary::<u8>()?) * 64;
        let mut buffers = Vec::new();
        for _ in 0..steps.int_in_range(1..=6)? {
            let length = u32::from(steps.arbitrary::<u16>()? & if steps.arbitrary()? { 0x3f } else { 0x7ff });
            buffers.push((at, length));
            at += u64::from(length);
        }
        let mut bytes = prefix.to_vec();
        let more = steps.int_in_range(0..=40)?.min(steps.len());
        bytes.extend(steps.bytes(more)?);
        if let Some((address, _)) = buffers.first() {
            self.ram.put(*address, &bytes);
        }
        let readable = steps.int_in_range(0..=buffers.len())?;
        if steps.ratio(1, 4)? {
            self.driver.give_indirect(&mut self.ram, START + 0x1000, &buffers, readable);
        } else {
            self.driver.give(&mut self.ram, &buffers, readable);
        }
        Ok(())
    }

    /// Changes some bytes, as a driver does that works against the device.
    fn spoil(&mut self, steps: &mut Unstructured) -> Result<()> {
        operations::count(1);
        let place = steps.int_in_range(0..=SIZE - 1)?;
        self.ram.bytes[place] = steps.arbitrary()?;
        Ok(())
    }
}

fn network(steps: &mut Unstructured) -> Result<()> {
    let (mut a, mut b) = (Guest::new(), Guest::new());
    let (here, there) = (Mac([2, 0, 0, 0, 0, 1]), Mac([2, 0, 0, 0, 0, 2]));
    let mut switch = Switch::new();
    let bridge = steps.arbitrary()?;
    switch.add(here, bridge);
    switch.add(there, false);
    let (mut port, mut traffic) = (Port::new(here, 1500), Traffic::default());
    while !steps.is_empty() {
        match steps.int_in_range(0..=5u8)? {
            0 => b.give(steps, &[])?,
            1 => a.spoil(steps)?,
            2 if control::serve(&mut port, &mut a.queue, &mut a.ram, &mut a.chain).is_err() => return Ok(()),
            2 => {}
            _ => {
                let mut head = steps.arbitrary::<[u8; 12]>()?.to_vec();
                if steps.ratio(1, 2)? {
                    head.fill(0);
                }
                head.extend(there.0.iter().chain(&here.0));
                a.give(steps, &head)?;
                // Taken, delivered, given back, published.
                operations::count(4);
                match a.queue.take(&mut a.ram, &mut a.chain) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(_) => return Ok(()),
                }
                let (sends, takes) = (steps.arbitrary()?, steps.arbitrary()?);
                match Frame::read(&mut a.ram, &a.chain, &mut Stage::new(), sends, port.mtu()) {
                    Err(_) => return Ok(()),
                    Ok(Err(reason)) => _ = traffic.drop(reason),
                    Ok(Ok(frame)) => {
                        assert!(frame.length() >= 14 && frame.length() + 12 == a.chain.readable());
                        if let Ok(mut ports) = switch.route(0, &frame) {
                            assert_eq!((ports.pop(), ports.pop()), (Some(1), None));
                        }
                        let before = b.queue.save();
                        let budget = &mut Budget::new();
                        let given = deliver(&frame, &mut a.ram, &mut b.queue, &mut b.ram, &mut b.chain, takes, budget);
                        match given {
                            Err(_) => return Ok(()),
                            Ok(Given::Dropped(reason)) => {
                                assert_eq!(b.queue.save(), before, "{reason:?} takes no buffer");
                            }
                            Ok(Given::Later) => panic!("there is a whole budget"),
                            Ok(Given::Done) => assert_ne!(b.queue.save(), before),
                        }
                    }
                }
                if a.queue.put(&mut a.ram, a.chain.head(), 0).is_err() || b.queue.publish(&mut b.ram).is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// The header of a request, which may mean something.
fn request(steps: &mut Unstructured) -> Result<Vec<u8>> {
    let kind: u32 = if steps.ratio(7, 8)? { *steps.choose(&[0, 1, 4, 8, 11, 13])? } else { steps.arbitrary()? };
    let sector = if steps.ratio(7, 8)? { u64::from(steps.arbitrary::<u8>()? & 0x3f) } else { steps.arbitrary()? };
    Ok([&kind.to_le_bytes()[..], &[0; 4], &sector.to_le_bytes()].concat())
}

fn local(steps: &mut Unstructured) -> Result<()> {
    const DISK: usize = 16 << 10;
    let mut guest = Guest::new();
    let mut region = Region { memory: Ram::new(DISK + 0x2000), start: START + 0x1000 };
    region.memory.bytes[..0x1000].fill(0xaa);
    region.memory.bytes[0x1000 + DISK..].fill(0xaa);
    let block = if steps.arbitrary()? { 512 } else { 4096 };
    let mut disk = Local::new(Geometry::new("d", DISK as u64, block, steps.arbitrary()?).unwrap());
    while !steps.is_empty() {
        match steps.int_in_range(0..=3u8)? {
            0 => guest.spoil(steps)?,
            1 => {
                let Guest { queue, ram, chain: _, .. } = &mut guest;
                operations::count(2);
                let mut budget = Budget::new();
                if disk.work(queue, ram, &mut region, &mut budget).is_err() || queue.publish(ram).is_err() {
                    disk.reset();
                    return Ok(());
                }
            }
            _ => {
                let header = request(steps)?;
                guest.give(steps, &header)?;
            }
        }
        let edges = region.memory.bytes[..0x1000].iter().chain(&region.memory.bytes[0x1000 + DISK..]);
        assert!(edges.clone().all(|byte| *byte == 0xaa), "outside of the disk");
    }
    Ok(())
}

fn served(steps: &mut Unstructured) -> Result<()> {
    let (mut guest, mut server) = (Guest::new(), Guest::new());
    let mut disk = Served::new(Geometry::new("d", 16 << 10, 512, false).unwrap(), "", 100).unwrap();
    disk.open();
    let mut now = 0;
    if steps.ratio(7, 8)? {
        let agreed = [
            &b"NBDMAGICIHAVEOPT\0\x03"[..],
            b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x07\0\0\0\x03\0\0\0\x0c\0\0\0\0\0\0\0\0\x40\0\0\x65",
            b"\0\x03\xe8\x89\x04\x55\x65\xa9\0\0\0\x07\0\0\0\x01\0\0\0\0",
        ]
        .concat();
        from_server(&mut disk, &mut guest, &mut server, &agreed);
    }
    while !steps.is_empty() {
        let mut flow = Flow { queue: &mut guest.queue, memory: &mut guest.ram, chain: &mut guest.chain };
        match steps.int_in_range(0..=7u8)? {
            0 => guest.spoil(steps)?,
            1 => {
                now += u64::from(steps.arbitrary::<u8>()?);
                match disk.expire(&mut flow, now, &mut Budget::new()) {
                    Ok(true) => disk.close(),
                    Ok(false) => {}
                    Err(_) => return Ok(()),
                }
            }
            2 => {
                disk.close();
                disk.open();
            }
            3 => {
                operations::count(3);
                if disk.take(&mut flow, now, &mut Budget::new()).is_err() {
                    return Ok(());
                }
                let room = u32::from(steps.arbitrary::<u16>()? & 0xfff) + 1;
                server.driver.give(&mut server.ram, &[(DATA, room)], 0);
                assert_eq!(server.queue.take(&mut server.ram, &mut server.chain), Ok(true));
                let mut to = server.chain.writer();
                let Ok(sent) = disk.send(Some(&mut flow), &mut to, &mut server.ram, &mut Budget::new()) else {
                    return Ok(());
                };
                assert!(sent <= room);
                server.queue.put(&mut server.ram, server.chain.head(), sent).unwrap();
            }
            4 => {
                let cookie = u64::from(steps.arbitrary::<u8>()?);
                let error = if steps.ratio(3, 4)? { 0 } else { steps.arbitrary::<u32>()? };
                let mut reply = [&0x6744_6698_u32.to_be_bytes()[..], &error.to_be_bytes()].concat();
                reply.extend(cookie.to_be_bytes());
                reply.extend(vec![7; usize::from(steps.arbitrary::<u16>()? & 0x7ff)]);
                if !from_server(&mut disk, &mut guest, &mut server, &reply) {
                    return Ok(());
                }
            }
            5 => {
                let length = steps.int_in_range(0..=60)?.min(steps.len());
                let bytes = steps.bytes(length)?.to_vec();
                if !from_server(&mut disk, &mut guest, &mut server, &bytes) {
                    return Ok(());
                }
            }
            _ => {
                let header = request(steps)?;
                guest.give(steps, &header)?;
            }
        }
        if guest.queue.publish(&mut guest.ram).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Bytes come from the server. False: the disk's driver is at fault.
fn from_server(disk: &mut Served, guest: &mut Guest, server: &mut Guest, bytes: &[u8]) -> bool {
    if bytes.is_empty() {
        return true;
    }
    operations::count(3);
    server.ram.put(DATA, bytes);
    server.driver.give(&mut server.ram, &[(DATA, bytes.len() as u32)], 1);
    assert_eq!(server.queue.take(&mut server.ram, &mut server.chain), Ok(true));
    server.queue.put(&mut server.ram, server.chain.head(), 0).unwrap();
    let mut reader = server.chain.reader();
    let mut flow = Flow { queue: &mut guest.queue, memory: &mut guest.ram, chain: &mut guest.chain };
    while reader.left() > 0 {
        let before = reader.left();
        match disk.receive(Some(&mut flow), &mut reader, &mut server.ram, &mut Budget::new()) {
            Err(_) => return false,
            Ok(Err(broken)) => {
                assert!(!broken.to_string().is_empty());
                disk.close();
                disk.open();
                return true;
            }
            Ok(Ok(())) => assert!(reader.left() < before, "nothing moves"),
        }
    }
    true
}

fn ports(steps: &mut Unstructured) -> Result<()> {
    let mut console = Console::new(["a", "b", "disk.c"].into_iter().map(|name| Line::new(name).unwrap()));
    let (mut to, mut from) = (Guest::new(), Guest::new());
    while !steps.is_empty() {
        match steps.int_in_range(0..=5u8)? {
            0 => console.set_other(steps.int_in_range(0..=2)?, steps.arbitrary()?),
            1 => console.reset(),
            2 => to.give(steps, &[])?,
            3 => {
                operations::count(1);
                if console.tell(&mut to.queue, &mut to.ram, &mut to.chain).is_err() {
                    return Ok(());
                }
                assert!(!console.has_news() || to.queue.available(&mut to.ram).is_ok_and(|left| left == 0));
            }
            _ => {
                let (port, event) = (steps.int_in_range(0..=3u32)?, *steps.choose(&[0_u16, 3, 6, 9])?);
                let value = steps.arbitrary::<bool>()?;
                let message = [&port.to_le_bytes()[..], &event.to_le_bytes(), &u16::from(value).to_le_bytes()].concat();
                from.give(steps, &message)?;
                loop {
                    operations::count(1);
                    match console.hear(&mut from.queue, &mut from.ram, &mut from.chain) {
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
            }
        }
    }
    Ok(())
}

fn pair(steps: &mut Unstructured) -> Result<()> {
    let mut pair = Pair::new();
    let (mut a, mut b) = (Guest::new(), Guest::new());
    let mut shown = None;
    while !steps.is_empty() {
        let side = if steps.arbitrary()? { Side::A } else { Side::B };
        match steps.int_in_range(0..=7u8)? {
            0 => pair.open(side),
            1 => {
                let Ok(end) = a.queue.end(&mut a.ram) else { return Ok(()) };
                pair.close(side, if side == Side::A { end } else { 0 }, if side == Side::B { end } else { 0 });
            }
            2 => shown = pair.session(Side::B),
            3 => b.give(steps, &[])?,
            4 => a.spoil(steps)?,
            5 => {
                operations::count(1);
                let before = pair.counters(Side::A);
                let mut source = serial::Flow { queue: &mut a.queue, memory: &mut a.ram, chain: &mut a.chain };
                let mut target = serial::Flow { queue: &mut b.queue, memory: &mut b.ram, chain: &mut b.chain };
                if pair.work(Side::A, shown, &mut source, Some(&mut target), &mut Budget::new()).is_err() {
                    return Ok(());
                }
                let after = pair.counters(Side::A);
                assert!(after.sent - before.sent <= u64::from(Budget::BYTES));
            }
            _ => a.give(steps, &[])?,
        }
    }
    Ok(())
}
