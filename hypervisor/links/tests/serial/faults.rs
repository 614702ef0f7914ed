//! What drivers at the ends of a pair do wrong, and what they can do to each other by it.

use portcullis_links::serial::{Broken, Progress, Side};
use portcullis_virtio::fake::{INSTRUCTIONS, START, buffers, price};
use portcullis_virtio::{Fault, Features, Layout, MAX_CHAIN, Queue};

use crate::bed::Line;
use crate::direction::Bed;

#[test]
fn each_driver_has_its_own_faults() {
    let mut bed = Bed::open();
    bed.a.send(b"x");
    let head = bed.b.driver.give(&mut bed.b.ram, &[(START + 0x1_0000, 8)], 1);
    assert_eq!(head, 0);
    let narrow = Fault::Narrow { what: "a port's bytes", length: 0, least: 1 };
    assert_eq!(bed.work(), Err(Broken { side: Side::B, fault: narrow }));
    let mut bed = Bed::open();
    bed.b.room(10);
    bed.a.driver.offer(&mut bed.a.ram, 99);
    let outside = Fault::HeadOutside { head: 99, size: 32 };
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: outside }));
    // A chain that is shorter than what was sent of it.
    let mut bed = Bed::open();
    bed.b.room(8);
    bed.a.send(b"0123456789");
    bed.settle();
    bed.a.driver.set(&mut bed.a.ram, 0, (START + 0x1_0000, 3), 0, 0);
    bed.b.room(8);
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: Fault::Changed { head: 0 } }));
    // Exactly as short: there would be nothing to pass on.
    let mut bed = Bed::open();
    bed.b.room(8);
    bed.a.send(b"0123456789");
    bed.settle();
    bed.a.driver.set(&mut bed.a.ram, 0, (START + 0x1_0000, 8), 0, 0);
    bed.b.room(8);
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: Fault::Changed { head: 0 } }));
    assert_eq!(bed.got(), b"01234567");
}

#[test]
fn a_chain_of_no_bytes_is_no_end_of_file() {
    let mut bed = Bed::open();
    bed.b.room(8);
    let before = bed.b.queue.save();
    bed.a.driver.give(&mut bed.a.ram, &[(START + 0x1_0000, 8)], 0);
    let short = Fault::Short { what: "a port's bytes", length: 0, least: 1 };
    assert_eq!(bed.work(), Err(Broken { side: Side::A, fault: short }));
    assert_eq!((bed.b.queue.save(), bed.b.got()), (before, None));
}

#[test]
fn whoever_is_not_at_fault_keeps_its_buffer() {
    // The writer's RAM ends in front of its used ring, so that what it sent cannot be given back.
    let mut bed = Bed::open();
    bed.a.send(b"abc");
    bed.b.room(8);
    let layout = Layout { used: START + 0xf_0000, ..bed.a.driver.layout };
    bed.a.queue = Queue::new(layout, Features::default(), &bed.a.ram).unwrap();
    bed.a.ram.bytes.truncate(0xf_0000);
    let before = bed.b.queue.save();
    assert!(matches!(bed.work(), Err(Broken { side: Side::A, fault: Fault::OutOfReach(_) })));
    assert_eq!((bed.b.queue.save(), bed.b.queue.available(&mut bed.b.ram)), (before, Ok(1)));
    // Another writer gets it.
    bed.pair.vanish(Side::A, 0);
    bed.a = Line::new();
    bed.pair.open(Side::A);
    bed.a.send(b"next");
    bed.settle();
    bed.settle();
    assert_eq!(bed.got(), b"next");
}

#[test]
fn hostile_chains_do_not_make_a_piece_of_work_long() {
    const SHORT: usize = 16;
    // Buffers that never end where the other's do: as many pieces as there can be.
    for (from, to) in
        [(vec![1; MAX_CHAIN], vec![1; MAX_CHAIN]), (vec![2; MAX_CHAIN], [vec![1], vec![2; MAX_CHAIN - 1]].concat())]
    {
        let mut bed = Bed::new();
        let all = Features { indirect: true, event_index: true };
        for line in [&mut bed.a, &mut bed.b] {
            line.queue = Queue::new(line.driver.layout, all, &line.ram).unwrap();
        }
        bed.pair.open(Side::A);
        bed.pair.open(Side::B);
        bed.shown = bed.pair.session(Side::B);
        for (line, lengths, readable) in [(&mut bed.a, &from, MAX_CHAIN), (&mut bed.b, &to, 0)] {
            // Short ones first, so that the long ones come late in a piece of work.
            for _ in 0..SHORT {
                line.driver.give(&mut line.ram, &[(START + 0x1_0000, 1)], usize::from(readable > 0));
            }
            let parts = buffers(START + 0x1_0000, lengths);
            (SHORT..32).for_each(|_| _ = line.driver.give_indirect(&mut line.ram, START + 0x2000, &parts, readable));
        }
        let mut pieces = 0;
        loop {
            (bed.a.ram.steps, bed.b.ram.steps) = (Some(Vec::new()), Some(Vec::new()));
            let progress = bed.work().unwrap();
            let price = price(&mut bed.a.ram.steps) + price(&mut bed.b.ram.steps);
            assert!(price <= INSTRUCTIONS, "{price}");
            pieces += 1;
            if matches!(progress, Progress::Idle(_)) {
                break;
            }
        }
        assert!((32 - SHORT..=70).contains(&pieces), "{pieces}");
        assert_eq!(bed.b.queue.position(), 32, "each buffer was filled");
    }
}
