//! Messages of the control queues (virtio 1.2, section 5.3.6.2).

use heapless::Vec;
use virtio_spec::console::Device;

/// Longest name of a port.
pub const NAME: usize = 32;
/// Bytes of a message, without a name behind it.
pub const BYTES: usize = 8;

/// A message to a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// There is a port.
    Add,
    /// A port has this name.
    Name(&'a str),
    /// The other end of a port is open, or is not.
    Open(bool),
}

impl Message<'_> {
    /// The message as bytes, about the port with the number `port`.
    pub(super) fn bytes(&self, port: u32) -> Vec<u8, { BYTES + NAME }> {
        let (event, value, name) = match self {
            Self::Add => (Device::DeviceAdd, 0, ""),
            Self::Name(name) => (Device::PortName, 1, *name),
            Self::Open(open) => (Device::PortOpen, u16::from(*open), ""),
        };
        let mut bytes = Vec::new();
        // There is room for the longest name.
        for part in [&port.to_le_bytes()[..], &(event as u16).to_le_bytes(), &value.to_le_bytes(), name.as_bytes()] {
            let _ = bytes.extend_from_slice(part);
        }
        bytes
    }
}

/// What a driver says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It knows ports, or could not be set up.
    DeviceReady(bool),
    /// It has set up a port, or could not.
    PortReady(u32, bool),
    /// A program has opened a port, or closed it.
    Open(u32, bool),
    /// What means nothing here.
    Other,
}

impl Said {
    pub(super) const fn new(bytes: [u8; BYTES]) -> Self {
        const DEVICE_READY: u16 = Device::DeviceReady as u16;
        const PORT_READY: u16 = Device::PortReady as u16;
        const PORT_OPEN: u16 = Device::PortOpen as u16;
        let word = u64::from_le_bytes(bytes);
        let (port, event, value) = (word as u32, (word >> 32) as u16, (word >> 48) as u16);
        match event {
            DEVICE_READY => Self::DeviceReady(value == 1),
            PORT_READY => Self::PortReady(port, value == 1),
            PORT_OPEN => Self::Open(port, value == 1),
            _ => Self::Other,
        }
    }
}
