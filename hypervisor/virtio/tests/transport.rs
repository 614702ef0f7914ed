//! The registers, as drivers use them and as they should not.

use portcullis_abi::state::{self, Unfit};
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::features::{EVERY, VERSION_1};
use portcullis_virtio::mmio::{Effect, Identity, Transport, registers::*};
use portcullis_virtio::{Chain, Fault, Features, Part, Queue};

/// Features of the device: two that go together, and one in each half.
const A: u64 = 1 << 3;
const B: u64 = 1 << 4;
const C: u64 = 1 << 40;

const ACKNOWLEDGE: u32 = 1;
const DRIVER: u32 = 2;
const DRIVER_OK: u32 = 4;
const FEATURES_OK: u32 = 8;
const NEEDS_RESET: u32 = 64;
const FAILED: u32 = 128;
const CONFIG_BYTES: [u8; 6] = [1, 2, 3, 4, 5, 6];

const IDENTITY: Identity<3> = Identity {
    device: 7,
    features: EVERY | A | B | C,
    accepts: |features| features & (A | B) != A,
    queues: [64, 0, 256],
};

struct Guest(Transport<3>);

impl Guest {
    fn new() -> Self {
        Self(Transport::new(IDENTITY))
    }

    fn read(&self, offset: u64) -> u32 {
        self.0.read(offset, 4, &CONFIG_BYTES) as u32
    }

    fn write(&mut self, offset: u64, value: u32) -> Effect {
        self.0.write(offset, 4, u64::from(value))
    }

    fn accept(&mut self, features: u64) -> bool {
        for (selector, half) in [(1, (features >> 32) as u32), (0, features as u32)] {
            self.write(DRIVER_FEATURES_SEL, selector);
            self.write(DRIVER_FEATURES, half);
        }
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        self.read(STATUS) & FEATURES_OK != 0
    }

    fn queue(&mut self, number: u32, size: u32, driver: &Driver) -> Effect {
        self.write(QUEUE_SEL, number);
        self.write(QUEUE_NUM, size);
        for (offset, address) in [
            (QUEUE_DESC, driver.layout.descriptors),
            (QUEUE_DRIVER, driver.layout.available),
            (QUEUE_DEVICE, driver.layout.used),
        ] {
            self.write(offset, address as u32);
            self.write(offset + 4, (address >> 32) as u32);
        }
        self.write(QUEUE_READY, 1)
    }

    /// A device in use, with queue 2.
    fn running() -> Self {
        let mut guest = Self::new();
        guest.write(STATUS, ACKNOWLEDGE);
        guest.write(STATUS, ACKNOWLEDGE | DRIVER);
        assert!(guest.accept(VERSION_1 | B));
        assert_eq!(guest.queue(2, 16, &Driver::new(START, 16)), Effect::None);
        assert_eq!(guest.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK), Effect::DriverOk);
        guest
    }
}

#[test]
fn what_a_driver_looks_for_first() {
    let mut guest = Guest::new();
    assert_eq!(guest.read(MAGIC).to_le_bytes(), *b"virt");
    assert_eq!((guest.read(VERSION), guest.read(DEVICE_ID)), (2, 7));
    assert_eq!(guest.read(VENDOR_ID).to_le_bytes(), *b"PCUL");
    let halves = [0, 1, 2, u32::MAX].map(|selector| {
        guest.write(DEVICE_FEATURES_SEL, selector);
        guest.read(DEVICE_FEATURES)
    });
    assert_eq!(halves, [(EVERY | A | B) as u32, ((EVERY | C) >> 32) as u32, 0, 0]);
    let sizes = [0, 1, 2, 3, u32::MAX].map(|number| {
        guest.write(QUEUE_SEL, number);
        guest.read(QUEUE_NUM_MAX)
    });
    assert_eq!(sizes, [64, 0, 256, 0, 0]);
    assert_eq!([SHM_LEN, SHM_LEN + 4, SHM_BASE, SHM_BASE + 4].map(|offset| guest.read(offset)), [u32::MAX; 4]);
}

#[test]
fn registers_are_read_and_written_by_32_bits_only() {
    let mut guest = Guest::new();
    for size in [1, 2, 8] {
        for offset in 0..CONFIG {
            assert_eq!(guest.0.read(offset, size, &CONFIG_BYTES), 0, "{size} bytes at {offset:#x}");
        }
        assert_eq!(guest.0.write(STATUS, size, 1), Effect::None);
    }
    for offset in (0..CONFIG).filter(|offset| offset % 4 != 0) {
        assert_eq!((guest.read(offset), guest.write(offset, u32::MAX)), (0, Effect::None), "{offset:#x}");
    }
    assert_eq!(guest.read(STATUS), 0);
}

#[test]
fn the_configuration_is_read_by_any_width() {
    let mut guest = Guest::new();
    let read = |offset, size| guest.0.read(CONFIG + offset, size, &CONFIG_BYTES);
    assert_eq!([read(0, 1), read(5, 1), read(6, 1)], [1, 6, 0]);
    assert_eq!([read(0, 2), read(1, 2), read(5, 2)], [0x0201, 0x0302, 6]);
    assert_eq!([read(0, 4), read(4, 4), read(8, 4)], [0x0403_0201, 0x0605, 0]);
    assert_eq!([read(0, 8), read(2, 8)], [0x0605_0403_0201, 0x0605_0403]);
    assert_eq!(read(u64::MAX - CONFIG, 8), 0);
    assert_eq!(guest.write(CONFIG, 0xffff_ffff), Effect::None);
    assert_eq!(guest.read(CONFIG), 0x0403_0201);
}

#[test]
fn features_that_do_not_go_together_are_not_accepted() {
    for (features, good) in [
        (VERSION_1, true),
        (EVERY | A | B | C, true),
        (VERSION_1 | B, true),
        (VERSION_1 | A, false),
        (A | B, false),
        (0, false),
        (VERSION_1 | 1 << 5, false),
        (VERSION_1 | 1 << 33, false),
        (u64::MAX, false),
    ] {
        let mut guest = Guest::new();
        assert_eq!(guest.accept(features), good, "{features:#x}");
        assert_eq!(guest.0.accepted(), if good { features } else { 0 });
    }
    let mut guest = Guest::new();
    assert!(!guest.accept(VERSION_1 | A));
    assert!(guest.accept(VERSION_1), "it may try again");
    assert!(guest.accept(VERSION_1 | B));
    assert_eq!(guest.0.accepted(), VERSION_1, "what was accepted stays");
    assert_eq!(guest.0.features(), Features::default());
}

#[test]
fn a_device_is_in_use_from_driver_ok_on() {
    let mut guest = Guest::new();
    let driver = Driver::new(START, 16);
    assert!(guest.accept(EVERY));
    assert_eq!(guest.queue(2, 16, &driver), Effect::None);
    assert_eq!((guest.read(QUEUE_READY), guest.write(QUEUE_NOTIFY, 2)), (1, Effect::None));
    assert_eq!((guest.0.layout(2), guest.0.is_running()), (None, false));
    guest.0.used();
    guest.0.changed();
    assert!(!guest.0.level(), "nobody is to be told yet");
    assert_eq!(guest.write(STATUS, 15), Effect::DriverOk);
    assert_eq!(guest.write(STATUS, 15), Effect::None, "once");
    assert_eq!((guest.read(STATUS), guest.0.layout(2)), (15, Some(driver.layout)));
    assert_eq!(guest.0.features(), Features { indirect: true, event_index: true });
    let notified = [0, 1, 2, 3, 0x1_0002, u32::MAX].map(|number| guest.write(QUEUE_NOTIFY, number));
    let none = Effect::None;
    assert_eq!(notified, [none, none, Effect::Notify(2), none, none, none]);
}

#[test]
fn queues_are_fixed_when_the_device_is_in_use() {
    let mut guest = Guest::running();
    let before = guest.0.layout(2);
    assert_eq!(guest.queue(2, 32, &Driver::new(START + 0x1000, 32)), Effect::None);
    assert_eq!(guest.0.layout(2), before);
    assert_eq!(guest.queue(0, 16, &Driver::new(START + 0x1000, 16)), Effect::None);
    assert_eq!((guest.read(QUEUE_READY), guest.0.layout(0)), (0, None), "none comes later");
    guest.write(QUEUE_SEL, 2);
    assert_eq!(guest.write(QUEUE_READY, 0), Effect::Stop(2));
    assert_eq!((guest.read(QUEUE_READY), guest.write(QUEUE_NOTIFY, 2)), (0, Effect::None));
    assert_eq!(guest.write(QUEUE_READY, 0), Effect::None);
    guest.write(QUEUE_READY, 1);
    assert_eq!(guest.read(QUEUE_READY), 0);
    // Before that a queue can be taken back.
    let mut guest = Guest::new();
    assert!(guest.accept(VERSION_1));
    guest.queue(2, 16, &Driver::new(START, 16));
    assert_eq!((guest.write(QUEUE_READY, 0), guest.read(QUEUE_READY)), (Effect::None, 0));
}

#[test]
fn queues_that_cannot_be_need_a_reset() {
    let at = |address| Driver::new(address, 16);
    let size = |size, most| Fault::Size { size, most };
    let skewed = |part, address, alignment| Fault::Misaligned { part, address, alignment };
    let mut odd = at(START);
    odd.layout.used += 2;
    for (number, length, driver, fault) in [
        (2, 0, at(START), size(0, 256)),
        (2, 3, at(START), size(3, 256)),
        (0, 128, at(START), size(128, 64)),
        (1, 1, at(START), size(1, 0)),
        (2, 512, at(START), size(512, 256)),
        (2, 0x1_0010, at(START), size(0x1_0010, 256)),
        (2, 16, at(START + 8), skewed(Part::Descriptors, START + 8, 16)),
        (2, 16, odd.clone(), skewed(Part::Used, odd.layout.used, 4)),
    ] {
        let mut guest = Guest::new();
        assert!(guest.accept(VERSION_1));
        assert_eq!(guest.queue(number, length, &driver), Effect::Failed(Some(number as u16), fault));
        assert_eq!((guest.read(QUEUE_READY), guest.read(STATUS) & NEEDS_RESET), (0, NEEDS_RESET));
        assert!(!guest.0.level(), "there is no DRIVER_OK");
        assert_eq!(guest.write(STATUS, 15), Effect::None);
        assert!(!guest.0.is_running());
        assert_eq!(guest.write(STATUS, 0), Effect::Reset);
    }
}

#[test]
fn a_driver_of_old_is_told_apart() {
    let mut guest = Guest::new();
    guest.write(STATUS, ACKNOWLEDGE | DRIVER);
    assert_eq!(guest.write(STATUS, ACKNOWLEDGE | DRIVER | DRIVER_OK), Effect::Failed(None, Fault::Legacy));
    assert!(!guest.0.is_running());
    // One that goes on although its features were refused.
    let mut guest = Guest::new();
    assert!(!guest.accept(VERSION_1 | A));
    assert_eq!(guest.write(STATUS, 15), Effect::None);
    assert_eq!((guest.read(STATUS), guest.0.is_running()), (ACKNOWLEDGE | DRIVER, false));
}

#[test]
fn status_bits_are_set_by_the_driver_and_cleared_by_a_reset() {
    let mut guest = Guest::running();
    guest.write(STATUS, ACKNOWLEDGE);
    assert_eq!(guest.read(STATUS), 15, "none is cleared one by one");
    guest.write(STATUS, 0xffff_ff00 | NEEDS_RESET | 16 | 32);
    assert_eq!(guest.read(STATUS), 15, "none that is not the driver's");
    guest.write(STATUS, 15 | FAILED);
    assert_eq!(guest.read(STATUS), 15 | FAILED);
}

#[test]
fn a_reset_is_over_when_the_device_has_come_to_rest() {
    let mut guest = Guest::running();
    guest.0.used();
    assert_eq!(guest.write(STATUS, 0), Effect::Reset);
    assert!(guest.0.is_resetting() && !guest.0.is_running());
    assert_ne!(guest.read(STATUS), 0, "the driver can see that it is under way");
    assert_eq!(guest.0.layout(2), None);
    // Another vCPU does not get in between.
    assert_eq!(guest.write(STATUS, 15), Effect::None);
    assert_eq!(guest.write(QUEUE_NOTIFY, 2), Effect::None);
    assert_eq!(guest.queue(0, 16, &Driver::new(START, 16)), Effect::None);
    guest.0.changed();
    assert!(!guest.0.fail());
    guest.0.finish_reset();
    assert_eq!((guest.read(STATUS), guest.0.level(), guest.0.accepted()), (0, false, 0));
    guest.write(QUEUE_SEL, 2);
    assert_eq!(guest.read(QUEUE_READY), 0);
    assert_eq!(guest.write(STATUS, 0), Effect::None, "what rests is reset at once");
    assert!(!guest.0.is_resetting());
}

#[test]
fn interrupts_are_acknowledged_by_cause() {
    let mut guest = Guest::running();
    assert!(!guest.0.level());
    guest.0.used();
    guest.0.changed();
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (3, true));
    assert_eq!(guest.write(INTERRUPT_ACK, 1), Effect::Raise);
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (2, true));
    assert_eq!(guest.write(INTERRUPT_ACK, u32::MAX), Effect::None);
    assert_eq!((guest.read(INTERRUPT_STATUS), guest.0.level()), (0, false));
}

/// An interrupt controller that sees rising edges only, as the guest's is set up.
#[derive(Default)]
struct Edges {
    high: bool,
    pending: bool,
}

impl Edges {
    fn line(&mut self, high: bool) {
        self.pending |= high && !self.high;
        self.high = high;
    }

    fn effect(&mut self, effect: Effect, level: bool) {
        if effect == Effect::Raise {
            self.line(false);
        }
        self.line(level);
    }
}

#[test]
fn a_cause_that_comes_before_the_acknowledgement_is_an_edge_of_its_own() {
    // A second cause comes at any point of the driver's handler: before its read, between read and acknowledgement, behind it.
    for (first, second) in [(1, 2), (2, 1), (1, 1), (2, 2)] {
        for at in 0..3 {
            let (mut guest, mut gic) = (Guest::running(), Edges::default());
            let raise = |guest: &mut Guest, gic: &mut Edges, cause| {
                if cause == 1 {
                    guest.0.used()
                } else {
                    guest.0.changed()
                }
                gic.line(guest.0.level());
            };
            raise(&mut guest, &mut gic, first);
            let (mut round, mut handled) = (0, 0);
            while core::mem::take(&mut gic.pending) {
                let extra = |guest: &mut Guest, gic: &mut Edges, point| {
                    if round == 0 && point == at {
                        raise(guest, gic, second);
                    }
                };
                extra(&mut guest, &mut gic, 0);
                let causes = guest.read(INTERRUPT_STATUS);
                extra(&mut guest, &mut gic, 1);
                let effect = guest.write(INTERRUPT_ACK, causes);
                gic.effect(effect, guest.0.level());
                // It looks at what there is behind the acknowledgement.
                handled |= causes;
                extra(&mut guest, &mut gic, 2);
                round += 1;
                assert!(round < 4);
            }
            assert_eq!((handled, guest.0.level()), (first | second, false), "{first}, then {second} at {at}");
        }
    }
}

#[test]
fn a_changed_configuration_has_another_generation() {
    let mut guest = Guest::running();
    let mut seen = vec![guest.read(CONFIG_GENERATION)];
    for _ in 0..3 {
        guest.0.changed();
        let generation = guest.read(CONFIG_GENERATION);
        assert!(!seen.contains(&generation));
        seen.push(generation);
    }
    guest.write(STATUS, 0);
    guest.0.finish_reset();
    assert_eq!(seen.last(), Some(&guest.read(CONFIG_GENERATION)), "nor does a reset repeat one");
}

#[test]
fn a_device_that_cannot_go_on_says_so_once() {
    let mut guest = Guest::running();
    assert!(guest.0.fail());
    assert!(!guest.0.fail());
    assert_eq!((guest.read(STATUS), guest.read(INTERRUPT_STATUS)), (15 | NEEDS_RESET, 2));
    assert_eq!((guest.write(QUEUE_NOTIFY, 2), guest.0.layout(2)), (Effect::None, None));
    guest.0.used();
    assert_eq!(guest.read(INTERRUPT_STATUS), 2);
    assert_eq!(guest.write(STATUS, 0), Effect::Reset);
    guest.0.finish_reset();
    assert_eq!(guest.read(STATUS), 0);
}

fn setups(transport: &Transport<3>) -> [state::VirtioSetup; 3] {
    [0, 1, 2].map(|number| transport.save_setup(number).unwrap())
}

#[test]
fn what_was_saved_goes_on_as_before() {
    let mut guest = Guest::running();
    let (mut ram, mut driver) = (Ram::new(1 << 16), Driver::new(START, 16));
    let mut queue = Queue::new(guest.0.layout(2).unwrap(), guest.0.features(), &ram).unwrap();
    let mut chain = Chain::new();
    for round in 0..40_u32 {
        driver.give(&mut ram, &[(START + 0x8000, 64)], 0);
        assert!(queue.take(&mut ram, &mut chain).unwrap());
        if round % 3 == 1 {
            queue.silence(&mut ram).unwrap();
        }
        if round > 35 {
            // These stay with the device.
            continue;
        }
        queue.put(&mut ram, chain.head(), round).unwrap();
        queue.publish(&mut ram).unwrap();
        guest.0.used();
        guest.0.changed();
    }
    let (state, progress) = (guest.0.save().unwrap(), queue.save());
    let mut other = Transport::new(IDENTITY);
    other.restore(&state, &setups(&guest.0)).unwrap();
    assert_eq!((other.save().unwrap(), setups(&other)), (state, setups(&guest.0)));
    assert_eq!((other.layout(2), other.level()), (guest.0.layout(2), true));
    let mut again = Queue::restore(other.layout(2).unwrap(), other.features(), &ram, &progress).unwrap();
    assert_eq!((&again, again.save()), (&queue, progress));
    assert_eq!(again.taken().count(), 4);
    driver.give(&mut ram, &[(START + 0x8000, 9)], 0);
    assert!(again.take(&mut ram, &mut chain).unwrap());
    assert_eq!(chain.writable(), 9);
    guest.write(STATUS, 0);
    assert_eq!(guest.0.save(), None, "not in the middle of a reset");
    assert_eq!(guest.0.save_setup(3), None);
}

#[test]
fn a_state_that_no_device_has_is_refused_and_changes_nothing() {
    let guest = Guest::running();
    let (good, queues) = (guest.0.save().unwrap(), setups(&guest.0));
    let refused = |state: state::VirtioTransport, queues: [state::VirtioSetup; 3]| {
        let mut other = Guest::running().0;
        other.used();
        let before = (other.save(), setups(&other));
        let unfit = other.restore(&state, &queues).unwrap_err();
        assert_eq!((other.save(), setups(&other)), before);
        unfit
    };
    assert_eq!(refused(state::VirtioTransport { version: 2, ..good }, queues), Unfit::Version { saved: 2, known: 1 });
    for damaged in [
        state::VirtioTransport { device: 1, ..good },
        state::VirtioTransport { status: 0x100, ..good },
        state::VirtioTransport { status: 16, ..good },
        state::VirtioTransport { status: DRIVER_OK, ..good },
        state::VirtioTransport { interrupt: 4, ..good },
        state::VirtioTransport { status: FEATURES_OK, interrupt: 1, ..good },
        state::VirtioTransport { driver_features: 0, ..good },
        state::VirtioTransport { driver_features: B, ..good },
        state::VirtioTransport { driver_features: VERSION_1 | A, ..good },
        state::VirtioTransport { status: FEATURES_OK, driver_features: B, ..good },
    ] {
        assert!(matches!(refused(damaged, queues), Unfit::Value(_)));
    }
    let more = state::VirtioTransport { driver_features: good.driver_features | 1 << 9, ..good };
    assert_eq!(refused(more, queues), Unfit::Absent("features of a virtio device"));
    for damaged in [
        state::VirtioSetup { ready: 2, ..queues[2] },
        state::VirtioSetup { size: 3, ..queues[2] },
        state::VirtioSetup { size: 512, ..queues[2] },
        state::VirtioSetup { descriptors: 1, ..queues[2] },
        state::VirtioSetup { used: 2, ..queues[2] },
    ] {
        assert!(matches!(refused(good, [queues[0], queues[1], damaged]), Unfit::Value(_)));
    }

    let (ram, driver) = (Ram::new(1 << 16), Driver::new(START, 16));
    let features = Features::default();
    let fresh = Queue::new(driver.layout, features, &ram).unwrap().save();
    for damaged in [
        state::Virtqueue { version: 0, ..fresh },
        state::Virtqueue { next: 0x1_0000, ..fresh },
        state::Virtqueue { used: 0x1_0000, ..fresh },
        state::Virtqueue { used: 17, ..fresh },
        state::Virtqueue { published: 1, ..fresh },
        state::Virtqueue { silent: 2, ..fresh },
        state::Virtqueue { reserved: 1, ..fresh },
        state::Virtqueue { taken: [1 << 16, 0, 0, 0], ..fresh },
        state::Virtqueue { taken: [0, 0, 0, 1], ..fresh },
        state::Virtqueue { taken: [1, 0, 0, 0], ..fresh },
        state::Virtqueue { next: 1, ..fresh },
        state::Virtqueue { next: 2, taken: [1, 0, 0, 0], ..fresh },
        state::Virtqueue { used: 1, published: 1, ..fresh },
        state::Virtqueue { next: 0xffff, taken: [1, 0, 0, 0], ..fresh },
    ] {
        assert!(Queue::restore(driver.layout, features, &ram, &damaged).is_err(), "{damaged:?}");
    }
    // Where indices have gone round it is the difference that counts.
    let round = state::Virtqueue { next: 1, used: 0xffff, published: 0xffff, taken: [0x8001, 0, 0, 0], ..fresh };
    assert_eq!(Queue::restore(driver.layout, features, &ram, &round).unwrap().taken().collect::<Vec<_>>(), [0, 15]);
    let far = Driver::new(START + (1 << 16) - 64, 16).layout;
    let unfit = Queue::restore(far, features, &ram, &fresh).unwrap_err();
    assert_eq!(unfit, Unfit::Absent("RAM behind a virtqueue"));
}
