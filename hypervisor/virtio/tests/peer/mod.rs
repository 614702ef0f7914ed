//! The drivers of another implementation, `virtio-drivers`, at the registers of a device here.
#![allow(dead_code, reason = "each test uses a part of it")]

mod arena;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use portcullis_virtio::mmio::{Effect, Transport, registers::*};
use virtio_drivers::transport::{DeviceStatus, DeviceType, InterruptStatus};
use zerocopy::{FromBytes, Immutable, IntoBytes};

pub use arena::Arena;

/// What stands behind the registers.
pub trait Backend<const QUEUES: usize> {
    /// Does what an access asks for.
    fn act(&mut self, effect: Effect, transport: &mut Transport<QUEUES>, memory: &mut Arena);

    /// The device's configuration.
    fn config(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// A device with the memory that it shares with its driver.
pub struct Device<const QUEUES: usize, B> {
    pub transport: Transport<QUEUES>,
    pub backend: B,
    pub memory: Arena,
}

/// A driver's way to a device; the device is the same behind each clone.
pub struct Peer<const QUEUES: usize, B>(pub Rc<RefCell<Device<QUEUES, B>>>);

impl<const QUEUES: usize, B> Clone for Peer<QUEUES, B> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<const QUEUES: usize, B> fmt::Debug for Peer<QUEUES, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a device of {QUEUES} queues")
    }
}

impl<const QUEUES: usize, B: Backend<QUEUES>> Peer<QUEUES, B> {
    pub fn new(transport: Transport<QUEUES>, backend: B) -> Self {
        Self(Rc::new(RefCell::new(Device { transport, backend, memory: Arena })))
    }

    fn read(&self, offset: u64) -> u32 {
        let device = self.0.borrow();
        device.transport.read(offset, 4, &device.backend.config()) as u32
    }

    fn write(&self, offset: u64, value: u32) {
        let Device { transport, backend, memory } = &mut *self.0.borrow_mut();
        let effect = transport.write(offset, 4, u64::from(value));
        backend.act(effect, transport, memory);
        if transport.is_resetting() {
            transport.finish_reset();
        }
    }

    fn write_twice(&self, offset: u64, value: u64) {
        self.write(offset, value as u32);
        self.write(offset + 4, (value >> 32) as u32);
    }
}

impl<const QUEUES: usize, B: Backend<QUEUES>> virtio_drivers::transport::Transport for Peer<QUEUES, B> {
    fn device_type(&self) -> DeviceType {
        assert_eq!((self.read(MAGIC), self.read(VERSION)), (MAGIC_VALUE, VERSION_VALUE));
        DeviceType::try_from(self.read(DEVICE_ID)).unwrap()
    }

    fn read_device_features(&mut self) -> u64 {
        let half = |selector| {
            self.write(DEVICE_FEATURES_SEL, selector);
            u64::from(self.read(DEVICE_FEATURES))
        };
        half(0) | half(1) << 32
    }

    fn write_driver_features(&mut self, features: u64) {
        for (selector, half) in [(0, features as u32), (1, (features >> 32) as u32)] {
            self.write(DRIVER_FEATURES_SEL, selector);
            self.write(DRIVER_FEATURES, half);
        }
    }

    fn max_queue_size(&mut self, queue: u16) -> u32 {
        self.write(QUEUE_SEL, queue.into());
        self.read(QUEUE_NUM_MAX)
    }

    fn notify(&mut self, queue: u16) {
        self.write(QUEUE_NOTIFY, queue.into());
    }

    fn get_status(&self) -> DeviceStatus {
        DeviceStatus::from_bits_truncate(self.read(STATUS))
    }

    fn set_status(&mut self, status: DeviceStatus) {
        self.write(STATUS, status.bits());
        assert_eq!(self.get_status(), status, "no bit is refused");
    }

    fn set_guest_page_size(&mut self, _: u32) {}

    fn requires_legacy_layout(&self) -> bool {
        false
    }

    fn queue_set(&mut self, queue: u16, size: u32, descriptors: u64, driver: u64, device: u64) {
        self.write(QUEUE_SEL, queue.into());
        self.write(QUEUE_NUM, size);
        self.write_twice(QUEUE_DESC, descriptors);
        self.write_twice(QUEUE_DRIVER, driver);
        self.write_twice(QUEUE_DEVICE, device);
        self.write(QUEUE_READY, 1);
        assert_eq!(self.read(QUEUE_READY), 1);
    }

    fn queue_unset(&mut self, queue: u16) {
        self.write(QUEUE_SEL, queue.into());
        self.write(QUEUE_READY, 0);
        assert_eq!(self.read(QUEUE_READY), 0);
    }

    fn queue_used(&mut self, queue: u16) -> bool {
        self.write(QUEUE_SEL, queue.into());
        self.read(QUEUE_READY) != 0
    }

    fn ack_interrupt(&mut self) -> InterruptStatus {
        let causes = self.read(INTERRUPT_STATUS);
        assert_eq!(self.0.borrow().transport.level(), causes != 0);
        self.write(INTERRUPT_ACK, causes);
        assert!(!self.0.borrow().transport.level());
        InterruptStatus::from_bits_truncate(causes)
    }

    fn read_config_generation(&self) -> u32 {
        self.read(CONFIG_GENERATION)
    }

    fn read_config_space<T: FromBytes + IntoBytes>(&self, offset: usize) -> virtio_drivers::Result<T> {
        let device = self.0.borrow();
        let config = device.backend.config();
        let bytes = (offset..offset + size_of::<T>()).map(|at| device.transport.read(CONFIG + at as u64, 1, &config));
        let bytes: Vec<u8> = bytes.map(|byte| byte as u8).collect();
        Ok(T::read_from_bytes(&bytes).unwrap())
    }

    fn write_config_space<T: IntoBytes + Immutable>(&mut self, offset: usize, value: T) -> virtio_drivers::Result<()> {
        for (at, byte) in (offset as u64..).zip(value.as_bytes()) {
            let mut device = self.0.borrow_mut();
            assert_eq!(device.transport.write(CONFIG + at, 1, u64::from(*byte)), Effect::None);
        }
        Ok(())
    }
}
