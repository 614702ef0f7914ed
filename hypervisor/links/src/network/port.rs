//! A port as its driver sees it.

use portcullis_abi::state::Unfit;
use portcullis_virtio::mmio::Identity;
use virtio_spec::net::S;

use super::features::{accepts, offered};
use super::mac::Mac;

/// Queues of a port: receive, transmit, control (virtio 1.2, section 5.1.2).
pub const QUEUES: usize = 3;
/// Number of the queue of buffers for frames.
pub const RECEIVE: u16 = 0;
/// Number of the queue of frames.
pub const TRANSMIT: u16 = 1;
/// Number of the control queue.
pub const CONTROL: u16 = 2;

const LINK_UP: u16 = S::LINK_UP.bits().to_ne();
const ANNOUNCE: u16 = S::ANNOUNCE.bits().to_ne();

/// A port of a network.
#[derive(Clone, Debug)]
pub struct Port {
    mac: Mac,
    mtu: u16,
    up: bool,
    announce: bool,
}

impl Port {
    /// A port whose link is down: no other VM of the network runs.
    pub fn new(mac: Mac, mtu: u16) -> Self {
        Self { mac, mtu, up: false, announce: false }
    }

    /// What its driver is shown first, at a network where segments may be left to the receiver, or not.
    pub const fn identity(segmentation: bool) -> Identity<QUEUES> {
        const NET: u32 = 1;
        Identity { device: NET, features: offered(segmentation), accepts, queues: [256, 256, 16] }
    }

    /// The device's configuration (section 5.1.4): address, status, pairs of queues, MTU.
    pub const fn config(&self) -> [u8; 12] {
        let Mac([a, b, c, d, e, f]) = self.mac;
        let ([s0, s1], [m0, m1]) = ((self.save() as u16).to_le_bytes(), self.mtu.to_le_bytes());
        [a, b, c, d, e, f, s0, s1, 1, 0, m0, m1]
    }

    /// The network's MTU.
    pub const fn mtu(&self) -> u16 {
        self.mtu
    }

    /// Whether its link is up.
    pub const fn is_up(&self) -> bool {
        self.up
    }

    /// Sets its link. Returns whether that is new, so that the configuration has changed.
    pub const fn set_link(&mut self, up: bool) -> bool {
        core::mem::replace(&mut self.up, up) != up
    }

    /// Asks its driver to say where it is, after the VM has come here. Returns whether the configuration has changed.
    pub const fn announce(&mut self) -> bool {
        !core::mem::replace(&mut self.announce, true)
    }

    /// Its driver has announced itself.
    pub(super) const fn acknowledge(&mut self) {
        self.announce = false;
    }

    /// Returns what its driver is told of it: status (section 5.1.4).
    pub const fn save(&self) -> u32 {
        let status = if self.up { LINK_UP } else { 0 } | if self.announce { ANNOUNCE } else { 0 };
        status as u32
    }

    /// Takes on what its driver was told.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then.
    pub fn restore(&mut self, status: u32) -> Result<(), Unfit> {
        let status = u16::try_from(status).ok().filter(|status| status & !(LINK_UP | ANNOUNCE) == 0);
        let status = status.ok_or(Unfit::Value("a network port's status"))?;
        (self.up, self.announce) = (status & LINK_UP != 0, status & ANNOUNCE != 0);
        Ok(())
    }

    /// Its VM, or its driver, begins anew.
    pub const fn restart(&mut self) {
        self.announce = false;
    }
}

#[cfg(test)]
mod tests {
    use virtio_spec::Id;

    use super::*;

    #[test]
    fn it_is_a_network_device() {
        assert_eq!(Port::identity(true).device, u32::from(u8::from(Id::Net)));
    }
}
