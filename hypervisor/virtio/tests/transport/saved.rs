//! What is saved of a device, and what is taken on again.

use portcullis_abi::state::{self, Unfit};
use portcullis_virtio::fake::{Driver, Ram, START};
use portcullis_virtio::features::VERSION_1;
use portcullis_virtio::mmio::{Transport, registers::*};
use portcullis_virtio::{Chain, Features, Queue};

use crate::guest::*;

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
