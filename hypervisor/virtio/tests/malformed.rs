//! Whatever a driver can do wrong is a fault that says what, and never more.

use portcullis_devices::OutOfReach;
use portcullis_virtio::fake::{Driver, INDIRECT, NEXT, Ram, START, WRITE, buffers};
use portcullis_virtio::{Chain, Fault, Features, Layout, MAX_CHAIN, Part, Queue};

const SIZE: usize = 1 << 20;
const END: u64 = START + SIZE as u64;
const DATA: u64 = START + 0x1_0000;
const TABLE: u64 = START + 0x8000;
const ALL: Features = Features { indirect: true, event_index: true };

/// What becomes of what `give` makes available in a queue of 16.
fn taken(features: Features, give: impl FnOnce(&mut Ram, &mut Driver)) -> Result<bool, Fault> {
    let (mut ram, mut driver) = (Ram::new(SIZE), Driver::new(START, 16));
    let mut queue = Queue::new(driver.layout, features, &ram).unwrap();
    give(&mut ram, &mut driver);
    queue.take(&mut ram, &mut Chain::new())
}

/// What becomes of the chain from descriptor 2 on.
fn chain(describe: impl FnOnce(&mut Ram, &mut Driver)) -> Result<bool, Fault> {
    taken(ALL, |ram, driver| {
        describe(ram, driver);
        driver.offer(ram, 2);
    })
}

/// What becomes of the table of these descriptors.
fn table(entries: &[((u64, u32), u16, u16)]) -> Result<bool, Fault> {
    chain(|ram, driver| {
        driver.set(ram, 2, (TABLE, 16 * entries.len() as u32), INDIRECT, 0);
        for (number, (buffer, flags, next)) in entries.iter().enumerate() {
            Driver::describe(ram, TABLE, number as u16, *buffer, *flags, *next);
        }
    })
}

#[test]
fn loops() {
    let looped = Err(Fault::Loop { head: 2 });
    assert_eq!(chain(|ram, driver| driver.set(ram, 2, (DATA, 8), NEXT, 2)), looped);
    assert_eq!(
        chain(|ram, driver| {
            driver.set(ram, 2, (DATA, 8), NEXT, 9);
            driver.set(ram, 9, (DATA, 8), NEXT, 2);
        }),
        looped
    );
    assert_eq!(table(&[((DATA, 8), NEXT, 1), ((DATA, 8), NEXT, 0)]), looped);
    assert_eq!(table(&[((DATA, 8), NEXT, 0)]), looped);
}

#[test]
fn numbers_outside_of_a_table() {
    for head in [16, 17, 255, 256, 0x7fff, 0xffff] {
        let outside = Err(Fault::HeadOutside { head, size: 16 });
        assert_eq!(taken(ALL, |ram, driver| driver.offer(ram, head)), outside);
    }
    for next in [16, 17, 0xffff] {
        let outside = Err(Fault::NextOutside { next, size: 16 });
        assert_eq!(chain(|ram, driver| driver.set(ram, 2, (DATA, 8), NEXT, next)), outside);
    }
    assert_eq!(
        table(&[((DATA, 8), NEXT, 2), ((DATA, 8), 0, 0)]),
        Err(Fault::NextOutside { next: 2, size: 2 }),
        "an indirect table has its own size"
    );
}

#[test]
fn indices_that_run_ahead() {
    for index in [17, 18, 0x8000, 0xffff] {
        let ahead = Err(Fault::Ahead { index, next: 0, size: 16 });
        let write = |ram: &mut Ram, driver: &mut Driver| ram.put(driver.layout.available + 2, &index.to_le_bytes());
        assert_eq!(taken(ALL, write), ahead);
    }
    let full = taken(ALL, |ram, driver| {
        driver.set(ram, 0, (DATA, 8), 0, 0);
        ram.put(driver.layout.available + 2, &16_u16.to_le_bytes());
    });
    assert_eq!(full, Ok(true), "as many as there are places");
}

#[test]
fn an_index_that_goes_back() {
    let (mut ram, mut driver) = (Ram::new(SIZE), Driver::new(START, 16));
    let mut queue = Queue::new(driver.layout, ALL, &ram).unwrap();
    for _ in 0..5 {
        driver.give(&mut ram, &[(DATA, 8)], 1);
    }
    for _ in 0..5 {
        assert_eq!(queue.take(&mut ram, &mut Chain::new()), Ok(true));
    }
    ram.put(driver.layout.available + 2, &4_u16.to_le_bytes());
    let ahead = Fault::Ahead { index: 4, next: 5, size: 16 };
    assert_eq!(queue.available(&mut ram), Err(ahead));
    assert_eq!(queue.take(&mut ram, &mut Chain::new()), Err(ahead));
    assert_eq!(queue.listen(&mut ram), Err(ahead));
}

#[test]
fn a_chain_that_the_device_still_has() {
    let (mut ram, mut driver) = (Ram::new(SIZE), Driver::new(START, 16));
    let mut queue = Queue::new(driver.layout, ALL, &ram).unwrap();
    driver.set(&mut ram, 4, (DATA, 8), 0, 0);
    driver.offer(&mut ram, 4);
    driver.offer(&mut ram, 4);
    let mut chain = Chain::new();
    assert_eq!(queue.take(&mut ram, &mut chain), Ok(true));
    queue.put(&mut ram, 4, 0).unwrap();
    assert_eq!(queue.take(&mut ram, &mut chain), Ok(true), "it was given back, which the driver need not have seen");
    driver.offer(&mut ram, 4);
    assert_eq!(queue.take(&mut ram, &mut chain), Err(Fault::HeadTwice { head: 4 }));
}

#[test]
fn buffers_outside_of_ram() {
    for (address, length) in [
        (0, 1),
        (START - 1, 1),
        (START - 1, 2),
        (END, 1),
        (END - 7, 8),
        (START, SIZE as u32 + 1),
        (START, u32::MAX),
        (u64::MAX, 1),
        (u64::MAX, u32::MAX),
        (u64::MAX - 7, 8),
        (u64::MAX - 3, 8),
        (1 << 63, 8),
    ] {
        let outside = Err(Fault::OutOfReach(OutOfReach { address, length: length as usize }));
        assert_eq!(chain(|ram, driver| driver.set(ram, 2, (address, length), 0, 0)), outside);
        assert_eq!(chain(|ram, driver| driver.set(ram, 2, (address, length), WRITE, 0)), outside);
        assert_eq!(table(&[((address, length), 0, 0)]), outside);
        if length.is_multiple_of(16) {
            assert_eq!(chain(|ram, driver| driver.set(ram, 2, (address, length), INDIRECT, 0)), outside);
        }
    }
    let table = (END - 16, 32);
    let outside = Err(Fault::OutOfReach(OutOfReach { address: table.0, length: 32 }));
    assert_eq!(chain(|ram, driver| driver.set(ram, 2, table, INDIRECT, 0)), outside);
    assert_eq!(chain(|ram, driver| driver.set(ram, 2, (END - 8, 8), 0, 0)), Ok(true), "up to the last byte");
}

#[test]
fn buffers_of_no_bytes() {
    let empty = Err(Fault::Empty { head: 2 });
    assert_eq!(chain(|ram, driver| driver.set(ram, 2, (DATA, 0), 0, 0)), empty);
    assert_eq!(chain(|ram, driver| driver.set(ram, 2, (DATA, 0), WRITE, 0)), empty);
    assert_eq!(table(&[((DATA, 8), NEXT, 1), ((DATA, 0), WRITE, 0)]), empty);
}

#[test]
fn a_buffer_to_read_behind_one_to_write() {
    let order = Err(Fault::Order { head: 2 });
    assert_eq!(table(&[((DATA, 8), WRITE | NEXT, 1), ((DATA, 8), 0, 0)]), order);
    assert_eq!(
        chain(|ram, driver| {
            driver.set(ram, 2, (DATA, 8), WRITE | NEXT, 3);
            driver.set(ram, 3, (TABLE, 16), INDIRECT, 0);
            Driver::describe(ram, TABLE, 0, (DATA, 8), 0, 0);
        }),
        order,
        "across the edge of a table"
    );
}

#[test]
fn chains_that_are_too_long_or_too_large() {
    let long = taken(ALL, |ram, driver| {
        let parts = buffers(DATA, &[8; MAX_CHAIN + 1]);
        driver.give_indirect(ram, TABLE, &parts, parts.len());
    });
    assert_eq!(long, Err(Fault::TooLong { head: 0, most: MAX_CHAIN }));
    // Only the sum is too large: 4 GiB of the same memory again and again.
    let (mut ram, mut driver) = (Ram::new(64 << 20), Driver::new(START, 256));
    let mut queue = Queue::new(driver.layout, ALL, &ram).unwrap();
    let sum = vec![(START, 64 << 20); 64];
    for readable in [0, 32, 64] {
        let mut queue = queue.clone();
        let mut driver = driver.clone();
        driver.give(&mut ram, &sum, readable);
        assert_eq!(queue.take(&mut ram, &mut Chain::new()), Err(Fault::TooLarge { head: 0 }));
    }
    driver.give(&mut ram, &sum[1..], 63);
    assert_eq!(queue.take(&mut ram, &mut Chain::new()), Ok(true));
}

#[test]
fn indirect_tables() {
    for length in [0, 1, 8, 15, 17, 24] {
        let wrong = Err(Fault::IndirectLength { length });
        assert_eq!(chain(|ram, driver| driver.set(ram, 2, (TABLE, length), INDIRECT, 0)), wrong);
    }
    assert_eq!(
        chain(|ram, driver| {
            driver.set(ram, 2, (TABLE, 16), INDIRECT | NEXT, 3);
            Driver::describe(ram, TABLE, 0, (DATA, 8), 0, 0);
            driver.set(ram, 3, (DATA, 8), 0, 0);
        }),
        Err(Fault::IndirectNext)
    );
    assert_eq!(table(&[((TABLE, 16), INDIRECT, 0)]), Err(Fault::IndirectTwice));
    assert_eq!(table(&[((DATA, 8), NEXT, 1), ((TABLE, 16), INDIRECT, 0)]), Err(Fault::IndirectTwice));
    let unknown = taken(Features { indirect: false, event_index: true }, |ram, driver| {
        driver.give_indirect(ram, TABLE, &[(DATA, 8)], 1);
    });
    assert_eq!(unknown, Err(Fault::IndirectUnknown));
}

#[test]
fn queues_that_cannot_be() {
    let ram = Ram::new(SIZE);
    let sound = Driver::new(START, 16).layout;
    let queue = |layout| Queue::new(layout, ALL, &ram).map(|_| ());
    assert_eq!(queue(sound), Ok(()));
    for size in [0, 3, 5, 15, 17, 255, 257, 512, 0x8000, 0xffff] {
        assert_eq!(queue(Layout { size, ..sound }), Err(Fault::Size { size: u32::from(size), most: 256 }));
    }
    for off in 1..16 {
        let address = sound.descriptors + off;
        let wrong = Fault::Misaligned { part: Part::Descriptors, address, alignment: 16 };
        assert_eq!(queue(Layout { descriptors: address, ..sound }), Err(wrong));
    }
    let wrong = Fault::Misaligned { part: Part::Available, address: DATA + 1, alignment: 2 };
    assert_eq!(queue(Layout { available: DATA + 1, ..sound }), Err(wrong));
    for off in 1..4 {
        let wrong = Fault::Misaligned { part: Part::Used, address: DATA + off, alignment: 4 };
        assert_eq!(queue(Layout { used: DATA + off, ..sound }), Err(wrong));
    }
    for (part, bytes) in [(Part::Descriptors, 256), (Part::Available, 6 + 32), (Part::Used, 6 + 128)] {
        for address in [0, START - 16, END - 16, END, u64::MAX - 15, 1 << 63] {
            let layout = match part {
                Part::Descriptors => Layout { descriptors: address, ..sound },
                Part::Available => Layout { available: address, ..sound },
                Part::Used => Layout { used: address, ..sound },
            };
            let range = OutOfReach { address, length: bytes };
            assert_eq!(queue(layout), Err(Fault::PartOutOfReach { part, range }));
        }
    }
}

#[test]
fn rings_that_change_under_the_device() {
    // A vCPU of the guest writes everywhere between any two accesses of the device. Whatever it sees then, what it takes is in RAM.
    for seed in 1..if cfg!(miri) { 10 } else { 3000_u64 } {
        let (mut ram, mut driver) = (Ram::new(SIZE), Driver::new(START, 16));
        let layout = driver.layout;
        let mut queue = Queue::new(layout, ALL, &ram).unwrap();
        for i in 0..8 {
            driver.give(&mut ram, &buffers(DATA + 0x1000 * i, &[16; 2]), 1);
        }
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        ram.meanwhile = Some(Box::new(move |bytes| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let place = (random >> 8) as usize % (layout.used - START) as usize;
            bytes[place] = if random & 1 == 0 { (random >> 56) as u8 } else { (random >> 60) as u8 };
        }));
        let mut chain = Chain::new();
        while let Ok(true) = queue.take(&mut ram, &mut chain) {
            let (mut reader, mut writer) = (chain.reader(), chain.writer());
            while let Some(piece) = reader.piece(u32::MAX).or_else(|| writer.piece(u32::MAX)) {
                assert!(piece.address >= START && piece.address + u64::from(piece.length) <= END);
            }
            queue.put(&mut ram, chain.head(), 0).unwrap();
            queue.publish(&mut ram).unwrap();
        }
    }
}

#[test]
fn a_chain_that_changed_is_judged_anew() {
    let (mut ram, mut driver) = (Ram::new(SIZE), Driver::new(START, 16));
    let mut queue = Queue::new(driver.layout, ALL, &ram).unwrap();
    let head = driver.give(&mut ram, &[(DATA, 8)], 1);
    let mut chain = Chain::new();
    assert_eq!(queue.take(&mut ram, &mut chain), Ok(true));
    driver.set(&mut ram, head, (END, 8), 0, 0);
    assert_eq!(chain.reader().piece(8).map(|piece| piece.address), Some(DATA), "what was taken is a copy");
    assert!(matches!(queue.again(&mut ram, head, &mut chain), Err(Fault::OutOfReach(_))));
    assert_eq!(queue.again(&mut ram, 16, &mut chain), Err(Fault::HeadOutside { head: 16, size: 16 }));
}

#[test]
fn every_fault_says_what_is_wrong() {
    let range = OutOfReach { address: 0x10, length: 8 };
    for (fault, text) in [
        (Fault::Size { size: 3, most: 8 }, "its size is 3; it has to be a power of two from 1 to 8"),
        (
            Fault::Misaligned { part: Part::Used, address: 2, alignment: 4 },
            "its used ring is at 0x2, which is no multiple of 4",
        ),
        (
            Fault::PartOutOfReach { part: Part::Available, range },
            "its available ring: 8 bytes at 0x10 are not all RAM of the VM",
        ),
        (
            Fault::Ahead { index: 300, next: 3, size: 256 },
            "the index of its available ring is 300, and the next chain is number 3: more than its 256",
        ),
        (Fault::HeadOutside { head: 9, size: 8 }, "its available ring names descriptor 9; its table has 8"),
        (Fault::HeadTwice { head: 9 }, "its available ring names descriptor 9, which the device still has"),
        (Fault::NextOutside { next: 9, size: 8 }, "a descriptor's next one is 9 in a table of 8"),
        (Fault::Loop { head: 1 }, "the chain from descriptor 1 on has no end"),
        (Fault::TooLong { head: 1, most: MAX_CHAIN }, "the chain from descriptor 1 on has more than 130 descriptors"),
        (Fault::TooLarge { head: 1 }, "the chain from descriptor 1 on has 4 GiB or more"),
        (Fault::Empty { head: 1 }, "the chain from descriptor 1 on has a descriptor of no bytes"),
        (
            Fault::Order { head: 1 },
            "the chain from descriptor 1 on has one that the device reads behind one that it writes",
        ),
        (Fault::OutOfReach(range), "a descriptor: 8 bytes at 0x10 are not all RAM of the VM"),
        (Fault::IndirectUnknown, "a descriptor is indirect, and VIRTIO_F_INDIRECT_DESC was not negotiated"),
        (Fault::IndirectTwice, "a descriptor in an indirect table is indirect"),
        (Fault::IndirectNext, "a descriptor is indirect and has a next one"),
        (
            Fault::IndirectLength { length: 8 },
            "an indirect table has 8 bytes; it has to be a multiple of 16, and not 0",
        ),
        (Fault::Changed { head: 4 }, "the chain from descriptor 4 on was changed while the device had it"),
        (Fault::Legacy, "DRIVER_OK without FEATURES_OK: the driver has to know virtio 1.0 (Version 2)"),
        (
            Fault::Short { what: "a frame", length: 3, least: 26 },
            "a chain has 3 bytes to read for a frame, which takes 26",
        ),
        (
            Fault::Narrow { what: "a status", length: 0, least: 1 },
            "a chain has 0 bytes to write for a status, which takes 1",
        ),
    ] {
        assert_eq!(fault.to_string(), text);
    }
}
