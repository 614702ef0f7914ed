//! The registers, as drivers use them and as they should not.

mod guest;
mod interrupts;
mod saved;

use portcullis_virtio::fake::{Driver, START};
use portcullis_virtio::features::{EVERY, VERSION_1};
use portcullis_virtio::mmio::{Effect, registers::*};
use portcullis_virtio::{Fault, Features, Part};

use guest::*;

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
