//! Reader of the bundle: the one file that describes all VMs and carries their images. [`portcullis_abi::bundle`]
//! describes the format. Everything is checked before any of it is used; nothing is copied.
//!
//! What follows from the description for each VM is here too: where its images go ([`image`]), the device tree that it gets
//! ([`guest_tree`]), and which devices of the board are its own ([`assignment`], [`node`]).
//!
//! The crate knows no hardware and holds no `unsafe`; the host reads bundles with it too.
//!
//! # Example
//!
//! ```
//! use portcullis_bundle::{Bundle, BundleError};
//!
//! let error = Bundle::parse(b"no bundle").unwrap_err();
//! assert!(matches!(error, BundleError::TooShort(9)));
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod assignment;
pub mod baseline;
mod cycle;
mod error;
pub mod features;
pub mod guest_tree;
mod header;
pub mod image;
pub mod implementations;
pub mod limit;
pub mod links;
pub mod node;
pub mod page_size;
mod property;
pub mod room;
pub mod settings;
pub mod shown;
mod slices;
#[cfg(test)]
mod tests;
pub mod units;
mod vm;

use alloc::vec::Vec;

use guest_tree::GuestTree;
use portcullis_abi::{bundle, map};
use portcullis_tree::{Node, Tree};

pub use self::cycle::{CoreConfig, Window};
pub use self::error::{BundleError, CoreError, VmError};
use self::header::{Contents, Images};
use self::links::{Disk, LinkError, Network, NetworkPort, Serial, SharedMemory, Wire};
use self::property::utf8;
pub use self::settings::Settings;
pub use self::slices::Slices;
pub use self::vm::{Cores, Devices, FirmwareConfig, Ranges, VmConfig, fits_flash, is_name};

/// A bundle that has been checked.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    control: Option<usize>,
    vms: Vec<VmConfig<'a>>,
    root: Node<'a>,
    images: Images<'a>,
}

impl<'a> Bundle<'a> {
    /// Checks and reads the bundle at the start of `data`, which may be longer than the bundle.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong, checked from the outside in: header, checksum, tree, VMs, cores.
    pub fn parse(data: &'a [u8]) -> Result<Self, BundleError> {
        let Contents { tree, images } = header::open(data)?;
        let root = Tree::new(tree).map_err(BundleError::Tree)?.root();
        let mut control = None;
        for property in root.properties() {
            match utf8(property.name()) {
                bundle::CONTROL => control = Some(property.value),
                _ => return Err(BundleError::Unknown),
            }
        }
        let mut bundle = Self { control: None, vms: Vec::with_capacity(count(&root)), root, images };
        let mut last_core = None;
        let mut folders: [Option<&str>; links::KINDS] = [None; links::KINDS];
        for (index, node) in root.children().enumerate() {
            let name = utf8(node.name);
            if let Some(kind) = links::kind(name) {
                if folders.contains(&Some(name)) {
                    return Err(BundleError::Unknown);
                }
                *folders.iter_mut().find(|folder| folder.is_none()).ok_or(BundleError::Unknown)? = Some(name);
                bundle.check_links(kind, &node)?;
                continue;
            }
            if folders != [None; links::KINDS] {
                // A link was checked against the VMs before it, which must be all.
                return Err(BundleError::Unknown);
            }
            let Some(number) = name.strip_prefix(bundle::VM_NODE) else {
                let number = bundle.core(&node)?.number;
                if last_core.is_some_and(|last| number <= last) {
                    return Err(BundleError::CoreOrder(number));
                }
                last_core = Some(number);
                continue;
            };
            if last_core.is_some() {
                // A core's node was checked against the VMs before it, which must be all.
                return Err(BundleError::Unknown);
            }
            if index >= map::MAX_VMS {
                return Err(BundleError::TooManyVms);
            }
            if unit_address(number) != Some(index) {
                return Err(BundleError::Order(index));
            }
            let vm = VmConfig::parse(&node, images).map_err(|error| BundleError::Vm(index, error))?;
            if bundle.vms().any(|other| other.name == vm.name) {
                return Err(BundleError::DuplicateName(index));
            }
            bundle.vms.push(vm);
        }
        if bundle.vms().next().is_none() {
            return Err(BundleError::NoVms);
        }
        if folders != [None; links::KINDS] {
            bundle.make_room_for_links();
        }
        if let Some(value) = control {
            let name = property::string(bundle::CONTROL, value).map_err(|_| BundleError::Control)?;
            let index = bundle.vms().position(|vm| vm.name == name);
            let index = index.ok_or(BundleError::Control)?;
            bundle.control = Some(index);
            let served = bundle.disks().filter(|disk| disk.server() == Some(index)).count();
            let paired = bundle.serials().filter(|serial| serial.has(index)).count();
            if served.saturating_add(paired) > bundle::SERIAL_PORTS - bundle::OWN_PORTS {
                return Err(BundleError::Vm(index, VmError::Ports));
            }
        }
        Ok(bundle)
    }

    /// The VMs; a VM's number is its place in this order.
    pub fn vms(&self) -> impl Iterator<Item = &VmConfig<'a>> {
        self.vms.iter()
    }

    /// The cores with a cyclic schedule, in the order of their numbers; all others are shared by round robin.
    pub fn cores(&self) -> impl Iterator<Item = CoreConfig<'a>> {
        // The nodes of cores were read once and found right; no other can be read as one.
        self.root.children().filter_map(|node| self.core(&node).ok())
    }

    /// Reads the node of a core.
    fn core(&self, node: &Node<'a>) -> Result<CoreConfig<'a>, BundleError> {
        let number = utf8(node.name).strip_prefix(bundle::CORE_NODE);
        let number =
            number.and_then(unit_address).and_then(|number| u32::try_from(number).ok()).ok_or(BundleError::Unknown)?;
        let on_it = self.vms().enumerate().filter(|(_, vm)| vm.cores.as_slice().contains(&number));
        let here = on_it.fold(0, |bits, (vm, _)| bits | 1 << vm);
        CoreConfig::parse(number, node, here).map_err(|error| BundleError::Core(number, error))
    }

    /// The wires, in the manifest's order.
    pub fn wires(&self) -> impl Iterator<Item = Wire<'a>> {
        // The nodes of links were read once and found right.
        let vms = self.vms().count();
        self.links(bundle::WIRES).filter_map(move |node| Wire::parse(&node, vms).ok())
    }

    /// The memory that VMs share, in the manifest's order.
    pub fn shared_memory(&self) -> impl Iterator<Item = SharedMemory<'a>> {
        let vms = self.vms().count();
        self.links(bundle::SHARED_MEMORY).filter_map(move |node| SharedMemory::parse(&node, vms).ok())
    }

    /// The networks, in the manifest's order.
    pub fn networks(&self) -> impl Iterator<Item = Network<'a>> {
        let vms = self.vms().count();
        self.links(bundle::NETWORKS).filter_map(move |node| Network::parse(&node, vms).ok())
    }

    /// The pairs of serial ports, in the manifest's order.
    pub fn serials(&self) -> impl Iterator<Item = Serial<'a>> {
        let vms = self.vms().count();
        self.links(bundle::SERIALS).filter_map(move |node| Serial::parse(&node, vms).ok())
    }

    /// The disks, in the manifest's order.
    pub fn disks(&self) -> impl Iterator<Item = Disk<'a>> {
        let (vms, images) = (self.vms().count(), self.images);
        self.links(bundle::DISKS).filter_map(move |node| Disk::parse(&node, vms, images).ok())
    }

    /// Gives the device trees of VMs that are linked as much more room.
    fn make_room_for_links(&mut self) {
        for index in 0..self.vms.len() {
            let wires = self.wires().any(|wire| wire.ends().iter().any(|end| end.vm == index));
            let shared =
                self.shared_memory().filter(|memory| memory.sharers().any(|sharer| sharer.vm == index)).count();
            let is_its = |port: &NetworkPort| port.vm == index;
            let ports = self.networks().flat_map(|network| network.ports()).filter(is_its).count();
            let transports = ports.saturating_add(self.disks().filter(|disk| disk.vm == index).count());
            if let Some(vm) = self.vms.get_mut(index).filter(|vm| vm.dtb.is_none()) {
                let transports = transports.saturating_add(usize::from(vm.console.is_some()));
                vm.tree_room = vm.tree_room.saturating_add(GuestTree::room_of_links(wires, shared, transports));
            }
        }
    }

    /// The nodes of a kind of links.
    fn links(&self, folder: &'static str) -> impl Iterator<Item = Node<'a>> {
        self.root.children().filter(move |node| utf8(node.name) == folder).flat_map(|node| node.children())
    }

    /// Checks the links of one folder.
    fn check_links(&self, kind: &'static str, folder: &Node<'a>) -> Result<(), BundleError> {
        if folder.properties().next().is_some() {
            return Err(BundleError::Unknown);
        }
        let vms = self.vms().count();
        for (index, node) in folder.children().enumerate() {
            let error = |error| BundleError::Link(kind, index, error);
            let before = || folder.children().take(index);
            if utf8(folder.name) == bundle::WIRES {
                let others = before().filter_map(|node| Wire::parse(&node, vms).ok());
                Wire::parse(&node, vms).and_then(|wire| wire.fits(others)).map_err(error)?;
            } else if utf8(folder.name) == bundle::NETWORKS {
                let mut others = before().filter_map(|node| Network::parse(&node, vms).ok());
                let network = Network::parse(&node, vms).map_err(error)?;
                if index >= map::VIRTIO_SLOTS.saturating_mul(map::MAX_VMS) {
                    return Err(error(LinkError::TooMany(map::VIRTIO_SLOTS.saturating_mul(map::MAX_VMS))));
                }
                others.try_for_each(|other| network.fits(&other)).map_err(error)?;
                let consoles = || self.vms().map(|vm| vm.console);
                network.fits_consoles(consoles).map_err(error)?;
            } else if utf8(folder.name) == bundle::SERIALS {
                let others = || before().filter_map(|node| Serial::parse(&node, vms).ok());
                let serial = Serial::parse(&node, vms).map_err(error)?;
                serial.fits(others, |vm| self.vms().nth(vm).is_some_and(|vm| vm.console.is_some())).map_err(error)?;
            } else if utf8(folder.name) == bundle::DISKS {
                let disk = Disk::parse(&node, vms, self.images).map_err(error)?;
                let mut others = before().filter_map(|node| Disk::parse(&node, vms, self.images).ok());
                others.try_for_each(|other| disk.fits(&other)).map_err(error)?;
                // Whatever else the VM has in a transport.
                let ports = self.networks().flat_map(|network| network.ports()).map(|port| (port.vm, port.slot));
                let disks = self.disks().take(index).map(|disk| (disk.vm, disk.slot));
                let consoles = self.vms().enumerate().filter_map(|(vm, config)| Some((vm, config.console?)));
                if ports.chain(disks).chain(consoles).any(|taken| taken == (disk.vm, disk.slot)) {
                    return Err(error(LinkError::SlotTaken { vm: disk.vm, slot: disk.slot }));
                }
                if let Some(server) = disk.server() {
                    if self.vms().nth(server).is_none_or(|vm| vm.console.is_none()) {
                        return Err(error(LinkError::NoConsole(server)));
                    }
                    let served = self.disks().take(index).filter(|other| other.server() == Some(server)).count();
                    let paired = self.serials().filter(|serial| serial.has(server)).count();
                    if served.saturating_add(paired) >= bundle::SERIAL_PORTS {
                        return Err(error(LinkError::TooMany(bundle::SERIAL_PORTS)));
                    }
                }
            } else {
                let memory = SharedMemory::parse(&node, vms).map_err(error)?;
                if index >= bundle::SHARED_MEMORY_MAX {
                    return Err(error(LinkError::TooMany(bundle::SHARED_MEMORY_MAX)));
                }
                if before().any(|other| utf8(other.name) == memory.name) {
                    return Err(error(LinkError::Name));
                }
            }
        }
        Ok(())
    }

    /// Number of the control VM, if there is one.
    pub fn control(&self) -> Option<usize> {
        self.control
    }
}

/// How many VMs are described, [`map::MAX_VMS`] at the most.
fn count(root: &Node<'_>) -> usize {
    let nodes = root.children().take(map::MAX_VMS);
    nodes.filter(|node| utf8(node.name).starts_with(bundle::VM_NODE)).count()
}

/// The number after the `@` of a node's name. Large, so that it is there once only.
#[inline(never)]
fn unit_address(text: &str) -> Option<usize> {
    usize::from_str_radix(text, 16).ok()
}
