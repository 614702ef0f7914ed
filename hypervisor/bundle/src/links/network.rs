//! A network of the bundle: a switch, and a port for each VM at it.

use portcullis_abi::{bundle, map};
use portcullis_tree::{Node, be32};

use super::{LinkError, cells, name};
use crate::property::utf8;

/// Bytes of one port.
const BYTES: usize = bundle::PORT_CELLS * 4;

/// A network, each part of which has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes of the longest packet behind an Ethernet header.
    pub mtu: u16,
    /// Frames that are still to be cut into segments may pass.
    pub segmentation: bool,
    ports: &'a [[u8; BYTES]],
}

/// A port of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkPort {
    /// Number of the VM.
    pub vm: usize,
    /// Slot of its virtio transport, below [`map::VIRTIO_SLOTS`].
    pub slot: usize,
    /// Its address.
    pub mac: [u8; 6],
    /// The VM may send from, and gets what is for, addresses that nobody here has.
    pub bridge: bool,
    /// Frames that it may send in a second; none: as many as it likes.
    pub rate: Option<u32>,
}

impl NetworkPort {
    fn read(bytes: &[u8; BYTES]) -> Self {
        let cell = |number: usize| be32(bytes, number.wrapping_mul(4)).unwrap_or(0);
        let ([_, _, a, b], [c, d, e, f]) = (cell(2).to_be_bytes(), cell(3).to_be_bytes());
        Self {
            vm: cell(0) as usize,
            slot: cell(1) as usize,
            mac: [a, b, c, d, e, f],
            bridge: cell(4) != 0,
            rate: Some(cell(5)).filter(|rate| *rate != 0),
        }
    }
}

impl<'a> Network<'a> {
    /// Reads the node of a network in a bundle with so many VMs.
    pub(crate) fn parse(node: &Node<'a>, vms: usize) -> Result<Self, LinkError> {
        let (mut mtu, mut segmentation, mut ports) = (None, true, None);
        for property in node.properties() {
            let value = property.value;
            match utf8(property.name()) {
                bundle::MTU => {
                    let [bytes] = cells(bundle::MTU, value)?;
                    let right = (bundle::MTU_MIN..=bundle::MTU_MAX).contains(&bytes);
                    let bytes = u16::try_from(bytes).ok().filter(|_| right).ok_or(LinkError::Mtu(bytes))?;
                    mtu = Some(bytes);
                }
                bundle::UNSEGMENTED if value.is_empty() => segmentation = false,
                bundle::PORTS => match value.as_chunks() {
                    (items, []) => ports = Some(items),
                    _ => return Err(LinkError::Malformed(bundle::PORTS)),
                },
                _ => return Err(LinkError::Unknown),
            }
        }
        if node.children().next().is_some() {
            return Err(LinkError::Unknown);
        }
        let mtu = mtu.ok_or(LinkError::Missing(bundle::MTU))?;
        let ports = ports.ok_or(LinkError::Missing(bundle::PORTS))?;
        let network = Self { name: name(node)?, mtu, segmentation, ports };
        network.check(vms)?;
        Ok(network)
    }

    /// Its ports; each VM and each address is there once.
    pub fn ports(&self) -> impl Iterator<Item = NetworkPort> + use<'a> {
        self.ports.iter().map(NetworkPort::read)
    }

    fn check(&self, vms: usize) -> Result<(), LinkError> {
        if self.ports.len() < 2 {
            return Err(LinkError::Alone);
        }
        for (place, port) in self.ports().enumerate() {
            let mut before = self.ports().take(place);
            if port.vm >= vms {
                return Err(LinkError::NoVm(port.vm));
            }
            if port.slot >= map::VIRTIO_SLOTS {
                return Err(LinkError::NoSlot(port.slot));
            }
            if before.any(|other| other.vm == port.vm) {
                return Err(LinkError::Same(port.vm));
            }
            let is_of_many = port.mac.first().is_some_and(|first| first & 1 != 0);
            if is_of_many || self.ports().take(place).any(|other| other.mac == port.mac) {
                return Err(LinkError::Mac(port.vm));
            }
        }
        Ok(())
    }

    /// Checks it against the slots of the VMs' consoles, by VM.
    pub(crate) fn fits_consoles<I: Iterator<Item = Option<usize>>>(
        &self,
        consoles: impl Fn() -> I,
    ) -> Result<(), LinkError> {
        match self.ports().find(|port| consoles().nth(port.vm).flatten() == Some(port.slot)) {
            Some(NetworkPort { vm, slot, .. }) => Err(LinkError::SlotTaken { vm, slot }),
            None => Ok(()),
        }
    }

    /// Checks it against one before it.
    pub(crate) fn fits(&self, other: &Self) -> Result<(), LinkError> {
        if other.name == self.name {
            return Err(LinkError::Name);
        }
        let is_taken = |port: &NetworkPort| other.ports().any(|taken| (taken.vm, taken.slot) == (port.vm, port.slot));
        match self.ports().find(is_taken) {
            Some(NetworkPort { vm, slot, .. }) => Err(LinkError::SlotTaken { vm, slot }),
            None => Ok(()),
        }
    }
}
