//! The walk over the tree: one look at every node that can matter, then what can only be said when all were seen.

use portcullis_board::Range;
use portcullis_tree::{Node, Property, Tree, Visitor};

use super::bus::{Buses, DEPTH_MAX};
use super::console::{Console, UartNode};
use super::cores::{Core, CoreStart};
use super::driven::{Clocks, DeviceNode};
use super::error::FactsError;
use super::gic::{self, GicNode};
use super::interrupt::{Before, Decoder, Interrupts, is_before_gic};
use super::list::{List, Text};
use super::memory::{add, reserve};
use super::properties::{Properties, number, strings};
use super::timer::TimerNode;
use super::watchdogs::{Watchdog, Watchdogs};
use super::{Facts, LeftOut, MEMORY, Psci, PsciMethod, PsciVersion, RESERVED};
use crate::driver::{DrivenDevice, Driver};
use crate::drivers::{self, OTHERS, ns16550};

/// The walk: gathers the properties of a node, and shows it to [`Seen`] when all are there.
#[derive(Default)]
pub struct Walk<'a> {
    node: Option<Node<'a>>,
    properties: Properties<'a>,
    pub seen: Seen<'a>,
}

/// What has been seen so far.
#[derive(Default)]
pub struct Seen<'a> {
    /// The nodes above the next one, from the root down, and what they are for it.
    path: List<Step<'a>, DEPTH_MAX>,
    buses: Buses<'a>,
    /// How many nodes have to end before one matters again.
    skipped: usize,
    /// The first thing that was wrong.
    error: Option<FactsError>,

    pub compatible: List<Text, 4>,
    memory: List<Range, MEMORY>,
    reserved: List<Range, RESERVED>,
    left_out: LeftOut,
    cores: List<Core, 16>,
    gic: Option<GicNode<'a>>,
    /// A controller before it.
    before_gic: Option<Before>,
    timer: Option<TimerNode<'a>>,
    console: Console<'a>,
    devices: List<Option<DeviceNode<'a>>, OTHERS>,
    watchdogs: Watchdogs,
    clocks: Clocks,
    psci: Option<Psci>,
    initrd: Option<Range>,
    /// The first multiboot module that says it is a RAM disk.
    ramdisk: Option<Range>,
    /// The first one that does not say what it is.
    plain_module: Option<Range>,
}

/// A node on the way down.
#[derive(Clone, Copy, Default)]
struct Step<'a> {
    name: &'a [u8],
    place: Place,
}

/// Whose children are being visited.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Root,
    Cpus,
    Chosen,
    ReservedMemory,
    Elsewhere,
}

impl<'a> Visitor<'a> for Walk<'a> {
    fn begin(&mut self, node: Node<'a>) {
        self.complete();
        match self.seen.skipped {
            0 => self.node = Some(node),
            skipped => self.seen.skipped = skipped.saturating_add(1),
        }
    }

    fn property(&mut self, property: Property<'a>) {
        if self.node.is_some() {
            self.properties.set(&property);
        }
    }

    fn end(&mut self) {
        self.complete();
        self.seen.leave();
    }
}

impl<'a> Walk<'a> {
    /// All properties of a node are there.
    fn complete(&mut self) {
        if let Some(node) = &self.node {
            self.seen.enter(node, &self.properties);
            self.node = None;
            self.properties = Properties::default();
        }
    }
}

impl<'a> Seen<'a> {
    /// Notes what a node tells, and goes down into it or skips it.
    fn enter(&mut self, node: &Node<'a>, properties: &Properties<'a>) {
        let below = self.look(node, properties).unwrap_or_else(|error| {
            self.error.get_or_insert(error);
            None
        });
        let entered =
            below.is_some_and(|place| self.buses.enter(properties) && self.path.push(Step { name: node.name, place }));
        if !entered {
            self.skipped = 1;
        }
    }

    /// Leaves the node that was entered last, or what is skipped.
    fn leave(&mut self) {
        if let Some(rest) = self.skipped.checked_sub(1) {
            self.skipped = rest;
        } else {
            self.path.pop();
            self.buses.leave();
        }
    }

    /// Notes what a node tells. Returns what it is for its children if they have to be looked at.
    fn look(&mut self, node: &Node<'a>, properties: &Properties<'a>) -> Result<Option<Place>, FactsError> {
        if properties.is_disabled {
            // A clock that is only read is there, whatever Linux is not to use: the firmware's own tree of a Raspberry Pi 4
            // disables it.
            let driver = strings(properties.compatible).find_map(drivers::find).filter(|driver| driver.is_reference());
            driver.into_iter().for_each(|driver| self.driven(node, properties, driver));
            return Ok(None);
        }
        let Some(parent) = self.path.last() else {
            for text in strings(properties.compatible) {
                core::str::from_utf8(text).ok().and_then(Text::new).map(|text| self.compatible.push(text));
            }
            return Ok(Some(Place::Root));
        };
        match (parent.place, node.base_name()) {
            (Place::Cpus, _) => self.core(properties)?,
            (Place::Chosen, _) => self.chosen_module(properties),
            (Place::ReservedMemory, _) => {
                self.buses.regions(properties.reg).try_for_each(|region| reserve(&mut self.reserved, region))?;
            }
            (Place::Root, b"cpus") => return Ok(Some(Place::Cpus)),
            (Place::Root, b"reserved-memory") => return Ok(Some(Place::ReservedMemory)),
            (Place::Root, b"chosen") => {
                self.chosen(properties)?;
                return Ok(Some(Place::Chosen));
            }
            (Place::Root, b"aliases") => self.console.aliases = Some(*node),
            (Place::Root, _) if properties.device_type == b"memory\0" => self.memory(properties)?,
            _ => {
                self.device(node, properties)?;
                // Registers of its own and none passed on to its children: they are no devices of the board.
                let is_leaf = properties.reg.is_some() && properties.ranges.is_none();
                return Ok((!is_leaf).then_some(Place::Elsewhere));
            }
        }
        Ok(None)
    }

    fn memory(&mut self, node: &Properties<'a>) -> Result<(), FactsError> {
        const ERROR: FactsError = FactsError::Property {
            node: "memory node",
            property: "reg",
            expected: "address and size of each range in the root's cells",
        };
        if !self.buses.is_whole(node.reg) {
            return Err(ERROR);
        }
        for region in self.buses.regions(node.reg).filter(|region| region.size() != 0) {
            if !add(&mut self.memory, region) {
                self.left_out.memory = self.left_out.memory.saturating_add(1);
            }
        }
        Ok(())
    }

    fn core(&mut self, node: &Properties<'a>) -> Result<(), FactsError> {
        if node.device_type != b"cpu\0" {
            return Ok(());
        }
        let mpidr = self.buses.number(node.reg).ok_or(FactsError::Property {
            node: "cpu node",
            property: "reg",
            expected: "the affinity fields of MPIDR_EL1 in the cells of /cpus",
        })?;
        let start = match (node.enable_method, node.release_address) {
            (b"psci\0", _) => CoreStart::Psci,
            (b"spin-table\0", Some(address)) => CoreStart::SpinTable(address),
            (b"spin-table\0", None) => {
                return Err(FactsError::Property {
                    node: "cpu node",
                    property: "cpu-release-addr",
                    expected: "a 64-bit address, as the enable-method is spin-table",
                });
            }
            _ => CoreStart::Unknown,
        };
        if !self.cores.push(Core { mpidr, start }) {
            self.left_out.cores = self.left_out.cores.saturating_add(1);
        }
        Ok(())
    }

    fn chosen(&mut self, node: &Properties<'a>) -> Result<(), FactsError> {
        self.console.stdout_path = node.stdout_path;
        if let (Some(start), Some(end)) = (node.initrd_start, node.initrd_end) {
            if end < start {
                return Err(FactsError::Property {
                    node: "node /chosen",
                    property: "linux,initrd-end",
                    expected: "an address that is not below linux,initrd-start",
                });
            }
            self.initrd = (start != end).then_some(Range { start, end });
        }
        Ok(())
    }

    /// A multiboot module (Xen, docs/misc/arm/device-tree/booting.txt). GRUB's xen_module does not say what one is for. Not every
    /// loader sets the cell counts of /chosen; the length of `reg` tells more.
    fn chosen_module(&mut self, node: &Properties<'a>) {
        let is = |what: &[u8]| strings(node.compatible).any(|text| text == what);
        if !is(b"multiboot,module") || is(b"multiboot,kernel") {
            return;
        }
        let mut reg = node.reg.unwrap_or_default();
        let place = match reg.len() {
            8 | 16 => reg
                .split_at_checked(reg.len() / 2)
                .and_then(|(address, size)| Some(Range::sized(number(address)?, number(size)?))),
            _ => self.buses.take_region(&mut reg),
        };
        let known = if is(b"multiboot,ramdisk") { &mut self.ramdisk } else { &mut self.plain_module };
        *known = known.or(place);
    }

    fn device(&mut self, node: &Node<'a>, properties: &Properties<'a>) -> Result<(), FactsError> {
        for compatible in strings(properties.compatible) {
            match compatible {
                known if let Some(is_v3) = gic::is_v3(known) => self.gic(properties, is_v3),
                b"arm,armv8-timer" => self.timer(properties),
                before if let Some(inverts) = is_before_gic(before) => self.before_gic(properties, inverts),
                b"arm,psci-1.0" => self.psci(properties, PsciVersion::V1_0)?,
                b"arm,psci-0.2" => self.psci(properties, PsciVersion::V0_2)?,
                b"arm,psci" => self.psci(properties, PsciVersion::V0_1)?,
                b"fixed-clock" => {
                    if let (Some(phandle), Some(frequency)) = (properties.phandle, properties.clock_frequency) {
                        self.clocks.push((phandle, frequency));
                    }
                }
                other => match drivers::find(other) {
                    Some(driver) => self.driven(node, properties, driver),
                    None => continue,
                },
            }
            // The first string that is known is the most specific one.
            break;
        }
        Ok(())
    }

    fn gic(&mut self, node: &Properties<'a>, is_v3: bool) {
        if self.gic.is_some() {
            return;
        }
        let mut regions = List::default();
        self.buses.regions(node.reg).all(|region| regions.push(region));
        self.gic = Some(GicNode {
            is_v3,
            regions,
            redistributor_regions: node.redistributor_regions.unwrap_or(1) as usize,
            stride: node.redistributor_stride,
            decoder: Decoder { cells: node.interrupt_cells.unwrap_or(0), phandle: node.phandle, before: None },
            // A GIC's own interrupt is wired to itself, whatever the root's interrupt parent is.
            interrupts: Interrupts { value: node.interrupts, parent: node.phandle, extended: false },
        });
    }

    fn before_gic(&mut self, node: &Properties<'a>, inverts: bool) {
        let cells = node.interrupt_cells.unwrap_or(0);
        let mut before = Before { phandle: node.phandle, cells, inverts: List::default() };
        if inverts {
            self.buses.regions(node.reg).all(|region| before.inverts.push(region));
        }
        self.before_gic.get_or_insert(before);
    }

    fn interrupts(&self, node: &Properties<'a>) -> Interrupts<'a> {
        let parent = node.interrupt_parent.or(self.buses.interrupt_parent());
        // Where a node has both, this one counts (Devicetree Specification, section 2.4.1).
        match node.interrupts_extended {
            [] => Interrupts { value: node.interrupts, parent, extended: false },
            value => Interrupts { value, parent, extended: true },
        }
    }

    fn timer(&mut self, node: &Properties<'a>) {
        let timer = TimerNode {
            interrupts: self.interrupts(node),
            names: node.interrupt_names,
            frequency: node.clock_frequency,
        };
        self.timer.get_or_insert(timer);
    }

    /// Notes a device that `driver` drives: each serial port and watchdog, and the first one of any other driver.
    fn driven(&mut self, node: &Node<'a>, properties: &Properties<'a>, driver: &'static Driver) {
        let Some(registers) = self.buses.regions(properties.reg).next() else { return };
        let device = DeviceNode {
            driver,
            registers,
            interrupts: self.interrupts(properties),
            clock: properties.clock_frequency,
            clock_phandle: properties.clocks,
            layout: properties.layout,
        };
        if !ns16550::is_possible(driver, properties.layout) {
            self.left_out.serial.get_or_insert((registers.start, properties.layout));
        } else if driver.is_serial() {
            let mut path = List::default();
            self.path.iter().skip(1).map(|step| step.name).chain([node.name]).all(|name| path.push(name));
            self.console.uarts.push(Some(UartNode { path, device }));
        } else if driver.watchdog().is_some() {
            self.watchdogs.note(Watchdog { driver, registers });
        } else if !self.devices.iter().flatten().any(|other| other.driver == driver) {
            self.devices.push(Some(device));
        }
    }

    fn psci(&mut self, node: &Properties<'a>, version: PsciVersion) -> Result<(), FactsError> {
        let method = PsciMethod::of(node.method)?;
        self.psci.get_or_insert(Psci { method, version });
        Ok(())
    }

    /// Puts together what was seen of the tree.
    pub fn finish(&mut self, tree: &Tree<'a>, port: impl FnMut(DrivenDevice)) -> Result<Facts, FactsError> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        tree.reservations().try_for_each(|(address, size)| reserve(&mut self.reserved, Range::sized(address, size)))?;
        if self.memory.is_empty() {
            return Err(FactsError::NoNode {
                node: "memory",
                expected: "device_type \"memory\" and a size in \"reg\"",
            });
        }
        if self.cores.is_empty() {
            return Err(FactsError::NoNode { node: "core", expected: "device_type \"cpu\" under /cpus" });
        }
        let mut gic = self.gic.ok_or(FactsError::NoNode {
            node: "interrupt controller",
            expected: "compatible \"arm,gic-v3\", \"arm,gic-400\" or \"arm,cortex-a15-gic\"",
        })?;
        gic.decoder.before = self.before_gic;
        let timer =
            self.timer.ok_or(FactsError::NoNode { node: "timer", expected: "compatible \"arm,armv8-timer\"" })?;
        let timer = timer.finish(&gic.decoder)?;
        let ports = self.console.uarts.iter().flatten();
        ports.map(|uart| uart.device.finish(&gic.decoder, &self.clocks)).for_each(port);
        Ok(Facts {
            uart: self.console.choose().map(|uart| uart.finish(&gic.decoder, &self.clocks)),
            devices: self.devices.map(|device| device.map(|device| device.finish(&gic.decoder, &self.clocks))),
            watchdogs: self.watchdogs.clone(),
            gic: gic.finish()?,
            timer,
            compatible: self.compatible,
            memory: self.memory,
            left_out: self.left_out,
            reserved: self.reserved,
            cores: self.cores,
            psci: self.psci,
            bundle: self.initrd.or(self.ramdisk).or(self.plain_module),
        })
    }
}
