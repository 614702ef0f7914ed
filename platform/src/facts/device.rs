//! Devices by their path, for VMs that drive them.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use portcullis_board::Range;
use portcullis_board::device::{Device, Interrupt, pages};
use portcullis_bundle::node::KEPT;
use portcullis_tree::{Node, Property, Tree};

use super::bus::Buses;
use super::gic;
use super::interrupt::{Decoder, Interrupts};
use super::properties::{Properties, cell, is_disabled, strings};

/// Devices that are known not to read or write memory by themselves, by `compatible`. Of any other one that must be
/// assumed. `docs/devices.md` lists them.
pub const NO_MASTERS: [&[u8]; 10] = [
    b"arm,pl011",
    b"arm,pl031",
    b"arm,pl061",
    b"arm,sp804",
    b"brcm,bcm2711-gpio",
    b"brcm,bcm2835-aux",
    b"brcm,bcm2835-aux-uart",
    b"brcm,bcm2835-gpio",
    b"brcm,bcm2835-system-timer",
    b"cdns,uart-r1p12",
];

/// Why a device cannot be passed through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// No node has this path.
    NoNode,
    /// The node is disabled: `status` is not "okay".
    Disabled,
    /// The node has no registers with a physical address.
    NoRegisters,
    /// The node is a bus: it has a window to devices behind it.
    Bus,
    /// An interrupt of the node belongs to another controller than the GIC, or is no shared one.
    Interrupt,
    /// The node has its interrupts in a form that may name several controllers.
    Extended,
    /// A page of its registers is used by the hypervisor.
    Hypervisor(Range),
    /// A page of its registers also has those of another device.
    Shared {
        /// The page.
        page: Range,
        /// The other device's path.
        with: String,
    },
}

impl fmt::Display for DeviceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoNode => write!(f, "the board's device tree has no such node; give the full path of one"),
            Self::Disabled => write!(f, "the board's device tree says that it is disabled; enable it there"),
            Self::NoRegisters => {
                write!(f, "it has no registers with a physical address; only what has some can be given")
            }
            Self::Bus => write!(f, "it is a bus; give the devices on it"),
            Self::Interrupt => {
                write!(f, "it has an interrupt that is no shared one (SPI) of the GIC; it cannot be given")
            }
            Self::Extended => {
                write!(f, "its interrupts are in interrupts-extended, which is not understood; write interrupts there")
            }
            Self::Hypervisor(page) => {
                write!(f, "the hypervisor itself uses what is at {:#x}; it cannot be given", page.start)
            }
            Self::Shared { page, with } => {
                write!(f, "its page at {:#x} also has {with}; only both together can be given", page.start)
            }
        }
    }
}

/// The board's devices.
pub struct Devices {
    tree: Tree<'static>,
    decoder: Decoder,
}

impl Devices {
    /// Those of `tree`, which has been checked.
    pub fn new(tree: Tree<'static>) -> Self {
        let mut devices = Self { tree, decoder: Decoder::default() };
        let mut decoder = Decoder::default();
        devices.visit(&mut |_, node, _, _| {
            if strings(node.compatible).any(|compatible| gic::is_v3(compatible).is_some()) {
                decoder = Decoder { cells: node.interrupt_cells.unwrap_or(0), phandle: node.phandle, before: None };
            }
        });
        devices.decoder = decoder;
        devices
    }

    /// Frequency of the fixed clock with this phandle.
    fn clock(&self, phandle: u32) -> Option<u32> {
        let mut found = None;
        self.visit(&mut |_, node, _, _| {
            if node.phandle == Some(phandle) && node.compatible == b"fixed-clock\0" {
                found = node.clock_frequency;
            }
        });
        found
    }

    /// The device with this path. `taken` are the pages that the hypervisor itself uses.
    ///
    /// # Errors
    ///
    /// [`DeviceError`], but for [`DeviceError::Shared`].
    pub fn find(&self, path: &'static str, taken: impl Fn(Range) -> bool) -> Result<Device, DeviceError> {
        let mut found = Err(DeviceError::NoNode);
        self.visit(&mut |here, node, buses, place| {
            if here == path {
                found = self.device(path, node, buses, place);
            }
        });
        let device = found?;
        let page = device.pages().find(|page| taken(*page));
        page.map_or(Ok(device), |page| Err(DeviceError::Hypervisor(page)))
    }

    /// Makes sure that no page of `device` has registers of a device that is not among `given`, by path.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Shared`].
    pub fn alone(&self, device: &Device, given: impl Fn(&str) -> bool) -> Result<(), DeviceError> {
        let mut result = Ok(());
        self.visit(&mut |path, node, buses, _| {
            if result.is_ok() && !node.is_disabled && node.ranges.is_none() && path != device.path && !given(path) {
                let theirs = buses.regions(node.reg).filter_map(pages);
                for other in theirs {
                    if let Some(page) = device.pages().find(|page| page.overlaps(&other)) {
                        result = Err(DeviceError::Shared { page, with: path.into() });
                    }
                }
            }
        });
        result
    }

    fn device(
        &self,
        path: &'static str,
        node: &Properties<'static>,
        buses: &Buses<'static>,
        place: &Node<'static>,
    ) -> Result<Device, DeviceError> {
        if node.is_disabled {
            return Err(DeviceError::Disabled);
        }
        if node.ranges.is_some() {
            return Err(DeviceError::Bus);
        }
        let registers: Vec<Range> = buses.regions(node.reg).collect();
        if registers.is_empty() || !registers.iter().all(|region| pages(*region).is_some()) {
            return Err(DeviceError::NoRegisters);
        }
        if place.property(b"interrupts-extended").is_some() {
            return Err(DeviceError::Extended);
        }
        let parent = node.interrupt_parent.or(buses.interrupt_parent());
        Ok(Device {
            path,
            name: place.name,
            compatible: node.compatible,
            registers,
            interrupts: self.interrupts(Interrupts { value: node.interrupts, parent, extended: false })?,
            clock: node.clock_frequency.or_else(|| node.clocks.and_then(|phandle| self.clock(phandle))),
            clock_names: place.property(b"clock-names").unwrap_or_default(),
            kept: place.properties().filter_map(|property| kept(&property)).collect(),
            masters: !strings(node.compatible).any(|compatible| NO_MASTERS.contains(&compatible)),
        })
    }

    /// All interrupts of a node.
    fn interrupts(&self, interrupts: Interrupts<'_>) -> Result<Vec<Interrupt>, DeviceError> {
        const SHARED: core::ops::Range<u32> = 32..1020;
        let size = (self.decoder.cells as usize).saturating_mul(4).max(4);
        let mut found = Vec::new();
        for index in 0..interrupts.value.len().div_ceil(size) {
            let physical = self.decoder.intid(interrupts, index).filter(|intid| SHARED.contains(intid));
            let edge = self.decoder.is_edge(interrupts, index);
            found.push(Interrupt { physical: physical.ok_or(DeviceError::Interrupt)?, edge });
        }
        Ok(found)
    }

    /// Shows every node below the root with its path, its properties and the buses above it.
    fn visit(&self, show: &mut Show<'_>) {
        let root = self.tree.root();
        let mut buses = Buses::default();
        if buses.enter(&properties(&root)) {
            below(&root, &mut buses, &mut String::new(), show);
        }
    }
}

/// Gets a node: its path, its properties, the buses above it, and itself.
type Show<'a> = dyn FnMut(&str, &Properties<'static>, &Buses<'static>, &Node<'static>) + 'a;

fn below(node: &Node<'static>, buses: &mut Buses<'static>, path: &mut String, show: &mut Show<'_>) {
    for child in node.children() {
        let length = path.len();
        path.push('/');
        path.push_str(core::str::from_utf8(child.name).unwrap_or("?"));
        let properties = properties(&child);
        show(path, &properties, buses, &child);
        // What lies deeper than the buses go is part of a device.
        if buses.enter(&properties) {
            below(&child, buses, path, show);
            buses.leave();
        }
        path.truncate(length);
    }
}

/// A property that the guest's node gets too.
fn kept(property: &Property<'static>) -> Option<(&'static str, &'static [u8])> {
    let name = KEPT.into_iter().find(|name| name.as_bytes() == property.name())?;
    Some((name, property.value))
}

/// What a device needs of its properties. They are looked for one by one: this is for few nodes.
fn properties(node: &Node<'static>) -> Properties<'static> {
    let value = |name: &str| node.property(name.as_bytes());
    let number = |name: &str| value(name).and_then(cell);
    Properties {
        reg: value("reg"),
        ranges: value("ranges"),
        compatible: value("compatible").unwrap_or_default(),
        is_disabled: value("status").is_some_and(is_disabled),
        address_cells: number("#address-cells"),
        size_cells: number("#size-cells"),
        interrupts: value("interrupts").unwrap_or_default(),
        interrupt_parent: number("interrupt-parent"),
        interrupt_cells: number("#interrupt-cells"),
        phandle: number("phandle"),
        clocks: value("clocks").and_then(|clocks| clocks.get(..4)).and_then(cell),
        clock_frequency: number("clock-frequency"),
        ..Properties::default()
    }
}
