//! A driver by hand, and the device that it finds.

use portcullis_virtio::fake::{Driver, START};
use portcullis_virtio::features::{EVERY, VERSION_1};
use portcullis_virtio::mmio::{Effect, Identity, Transport, registers::*};

/// Features of the device: two that go together, and one in each half.
pub const A: u64 = 1 << 3;
pub const B: u64 = 1 << 4;
pub const C: u64 = 1 << 40;

pub const ACKNOWLEDGE: u32 = 1;
pub const DRIVER: u32 = 2;
pub const DRIVER_OK: u32 = 4;
pub const FEATURES_OK: u32 = 8;
pub const NEEDS_RESET: u32 = 64;
pub const FAILED: u32 = 128;
pub const CONFIG_BYTES: [u8; 6] = [1, 2, 3, 4, 5, 6];

pub const IDENTITY: Identity<3> = Identity {
    device: 7,
    features: EVERY | A | B | C,
    accepts: |features| features & (A | B) != A,
    queues: [64, 0, 256],
};

/// A driver by hand, at the registers of one device.
pub struct Guest(pub Transport<3>);

impl Guest {
    pub fn new() -> Self {
        Self(Transport::new(IDENTITY))
    }

    pub fn read(&self, offset: u64) -> u32 {
        self.0.read(offset, 4, &CONFIG_BYTES) as u32
    }

    pub fn write(&mut self, offset: u64, value: u32) -> Effect {
        self.0.write(offset, 4, u64::from(value))
    }

    pub fn accept(&mut self, features: u64) -> bool {
        for (selector, half) in [(1, (features >> 32) as u32), (0, features as u32)] {
            self.write(DRIVER_FEATURES_SEL, selector);
            self.write(DRIVER_FEATURES, half);
        }
        self.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK);
        self.read(STATUS) & FEATURES_OK != 0
    }

    pub fn queue(&mut self, number: u32, size: u32, driver: &Driver) -> Effect {
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
    pub fn running() -> Self {
        let mut guest = Self::new();
        guest.write(STATUS, ACKNOWLEDGE);
        guest.write(STATUS, ACKNOWLEDGE | DRIVER);
        assert!(guest.accept(VERSION_1 | B));
        assert_eq!(guest.queue(2, 16, &Driver::new(START, 16)), Effect::None);
        assert_eq!(guest.write(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK), Effect::DriverOk);
        guest
    }
}
