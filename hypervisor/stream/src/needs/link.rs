//! A device in a virtio transport, as messages have it.

use core::fmt;

use portcullis_abi::state::LinkNeeds;

use super::name::text;

/// Kind and name of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// DeviceID.
    pub device: u32,
    /// Its name.
    pub name: [u8; 32],
}

impl Link {
    /// Returns those of what a VM needs.
    pub(super) const fn of(needs: &LinkNeeds) -> Self {
        Self { device: needs.device, name: needs.name }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.device {
            LinkNeeds::NETWORK => write!(f, "network \"{}\"", text(&self.name)),
            LinkNeeds::DISK => write!(f, "disk \"{}\"", text(&self.name)),
            LinkNeeds::CONSOLE => f.write_str("the console with its serial ports"),
            device => write!(f, "a virtio device of kind {device}"),
        }
    }
}
