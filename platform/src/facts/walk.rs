//! The walk over the tree: one visit to every node that can matter, then what can only be said when all were seen.

use dtoolkit::fdt::{Fdt, FdtNode};
use dtoolkit::{Node, Property};
use portcullis_core::image::Region;

use super::bus::Bus;
use super::error::FactsError;
use super::interrupt::{Decoder, Interrupts};
use super::list::{List, Text};
use super::properties::{Properties, number, strings, take};
use super::{Core, CoreStart, Facts, Gic, Psci, PsciMethod, PsciVersion, Timer, Uart, UartKind};

/// How deep the walk goes. What lies deeper is no device of the board but a part of one.
const DEPTH_MAX: usize = 6;

/// What has been seen so far.
#[derive(Default)]
pub struct Walk<'a> {
    compatible: List<Text, 4>,
    memory: List<Region, 8>,
    reserved: List<Region, 16>,
    cores: List<Core, 16>,
    gic: Option<GicNode<'a>>,
    timer: Option<TimerNode<'a>>,
    uarts: List<Option<UartNode<'a>>, 8>,
    /// Phandle and frequency of every fixed clock.
    clocks: List<(u32, u32), 16>,
    rtc: Option<Region>,
    psci: Option<Psci>,
    stdout_path: &'a [u8],
    initrd: Option<Region>,
    module: Option<Region>,
}

#[derive(Clone, Copy)]
struct GicNode<'a> {
    is_v3: bool,
    regions: List<Region, 8>,
    redistributor_regions: usize,
    stride: Option<u64>,
    decoder: Decoder,
    interrupts: Interrupts<'a>,
}

#[derive(Clone, Copy)]
struct TimerNode<'a> {
    interrupts: Interrupts<'a>,
    names: &'a [u8],
    frequency: Option<u32>,
}

#[derive(Clone, Copy)]
struct UartNode<'a> {
    /// The node's name; its place in the blob tells nodes of one name apart.
    name: &'a str,
    kind: UartKind,
    registers: Region,
    interrupts: Interrupts<'a>,
    clock: Option<u32>,
    clock_phandle: Option<u32>,
}

/// Whose children are being visited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Cpus,
    Chosen,
    ReservedMemory,
    Elsewhere,
}

impl<'a> Walk<'a> {
    /// Notes a reserved range.
    pub fn reserve(&mut self, region: Region) -> Result<(), FactsError> {
        if region.size == 0 || self.reserved.push(region) {
            return Ok(());
        }
        Err(FactsError::TooMany { what: "reserved memory ranges", limit: 16 })
    }

    /// Visits the root and everything below it.
    pub fn visit_root(&mut self, root: &FdtNode<'a>) -> Result<(), FactsError> {
        let properties = Properties::of(root);
        for text in strings(properties.compatible) {
            core::str::from_utf8(text).ok().and_then(Text::new).map(|text| self.compatible.push(text));
        }
        self.visit_children(root, Bus::new(None, &properties), Place::Root)
    }

    fn visit_children(&mut self, node: &FdtNode<'a>, bus: Bus<'_, 'a>, place: Place) -> Result<(), FactsError> {
        if bus.depth >= DEPTH_MAX {
            return Ok(());
        }
        for child in node.children() {
            if let Some((child_bus, child_place)) = self.visit(&child, &bus, place)? {
                self.visit_children(&child, child_bus, child_place)?;
            }
        }
        Ok(())
    }

    /// Notes what a node tells. Returns what its children need to know if they have to be visited.
    fn visit<'p>(
        &mut self,
        node: &FdtNode<'a>,
        bus: &'p Bus<'p, 'a>,
        place: Place,
    ) -> Result<Option<(Bus<'p, 'a>, Place)>, FactsError> {
        let properties = Properties::of(node);
        if properties.is_disabled {
            return Ok(None);
        }
        let below = match (place, node.name_without_address()) {
            (Place::Cpus, _) => {
                self.core(&properties, bus)?;
                return Ok(None);
            }
            (Place::Chosen, _) => {
                self.chosen_module(&properties, bus);
                return Ok(None);
            }
            (Place::ReservedMemory, _) => {
                bus.regions(properties.reg).try_for_each(|region| self.reserve(region))?;
                return Ok(None);
            }
            (Place::Root, "cpus") => Place::Cpus,
            (Place::Root, "reserved-memory") => Place::ReservedMemory,
            (Place::Root, "chosen") => {
                self.chosen(&properties)?;
                Place::Chosen
            }
            (Place::Root, _) if properties.device_type == b"memory\0" => {
                self.memory(&properties, bus)?;
                return Ok(None);
            }
            _ => {
                self.device(node, &properties, bus)?;
                Place::Elsewhere
            }
        };
        // A device with registers of its own that passes none on to its children has no children of interest.
        let is_leaf = below == Place::Elsewhere && properties.reg.is_some() && properties.ranges.is_none();
        Ok((!is_leaf).then(|| (Bus::new(Some(bus), &properties), below)))
    }

    fn memory(&mut self, node: &Properties<'a>, bus: &Bus<'_, 'a>) -> Result<(), FactsError> {
        const ERROR: FactsError = FactsError::Property {
            node: "memory node",
            property: "reg",
            expected: "address and size of each range in the root's cells",
        };
        if !bus.is_whole(node.reg) {
            return Err(ERROR);
        }
        for region in bus.regions(node.reg).filter(|region| region.size != 0) {
            self.memory.push(region);
        }
        Ok(())
    }

    fn core(&mut self, node: &Properties<'a>, bus: &Bus<'_, 'a>) -> Result<(), FactsError> {
        if node.device_type != b"cpu\0" {
            return Ok(());
        }
        let mpidr = bus.number(node.reg).ok_or(FactsError::Property {
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
        self.cores.push(Core { mpidr, start });
        Ok(())
    }

    fn chosen(&mut self, node: &Properties<'a>) -> Result<(), FactsError> {
        self.stdout_path = node.stdout_path;
        if let (Some(start), Some(end)) = (node.initrd_start, node.initrd_end) {
            let size = end.checked_sub(start).ok_or(FactsError::Property {
                node: "node /chosen",
                property: "linux,initrd-end",
                expected: "an address that is not below linux,initrd-start",
            })?;
            self.initrd = (size != 0).then_some(Region { address: start, size });
        }
        Ok(())
    }

    /// A multiboot module. Not every loader sets the cell counts of /chosen; the length of `reg` tells more.
    fn chosen_module(&mut self, node: &Properties<'a>, bus: &Bus<'_, 'a>) {
        let is = |what: &[u8]| strings(node.compatible).any(|text| text == what);
        if !is(b"multiboot,module") || !is(b"multiboot,ramdisk") || self.module.is_some() {
            return;
        }
        let mut reg = node.reg.unwrap_or_default();
        self.module = match reg.len() {
            8 | 16 => reg
                .split_at_checked(reg.len() / 2)
                .and_then(|(address, size)| Some(Region { address: number(address)?, size: number(size)? })),
            _ => {
                (|| Some(Region { address: take(&mut reg, bus.address_cells)?, size: take(&mut reg, bus.size_cells)? }))(
                )
            }
        };
    }

    fn device(&mut self, node: &FdtNode<'a>, properties: &Properties<'a>, bus: &Bus<'_, 'a>) -> Result<(), FactsError> {
        for compatible in strings(properties.compatible) {
            match compatible {
                b"arm,gic-v3" => self.gic(properties, bus, true),
                b"arm,gic-400" | b"arm,cortex-a15-gic" | b"arm,cortex-a7-gic" => self.gic(properties, bus, false),
                b"arm,armv8-timer" => self.timer(properties, bus),
                b"arm,pl011" => self.uart(node, properties, bus, UartKind::Pl011),
                b"brcm,bcm2835-aux-uart" => self.uart(node, properties, bus, UartKind::Bcm2835Aux),
                b"arm,pl031" => self.rtc = self.rtc.or(bus.regions(properties.reg).next()),
                b"arm,psci-1.0" => self.psci(properties, PsciVersion::V1_0)?,
                b"arm,psci-0.2" => self.psci(properties, PsciVersion::V0_2)?,
                b"arm,psci" => self.psci(properties, PsciVersion::V0_1)?,
                b"fixed-clock" => {
                    if let (Some(phandle), Some(frequency)) = (properties.phandle, properties.clock_frequency) {
                        self.clocks.push((phandle, frequency));
                    }
                }
                _ => continue,
            }
            // The first string that is known is the most specific one.
            break;
        }
        Ok(())
    }

    fn gic(&mut self, node: &Properties<'a>, bus: &Bus<'_, 'a>, is_v3: bool) {
        if self.gic.is_some() {
            return;
        }
        let mut regions = List::default();
        bus.regions(node.reg).all(|region| regions.push(region));
        self.gic = Some(GicNode {
            is_v3,
            regions,
            redistributor_regions: node.redistributor_regions.unwrap_or(1) as usize,
            stride: node.redistributor_stride,
            decoder: Decoder { cells: node.interrupt_cells.unwrap_or(0), phandle: node.phandle },
            // A GIC's own interrupt is wired to itself, whatever the root's interrupt parent is.
            interrupts: Interrupts { value: node.interrupts, parent: node.phandle },
        });
    }

    fn timer(&mut self, node: &Properties<'a>, bus: &Bus<'_, 'a>) {
        let interrupts = interrupts(node, bus);
        let timer = TimerNode { interrupts, names: node.interrupt_names, frequency: node.clock_frequency };
        self.timer.get_or_insert(timer);
    }

    fn uart(&mut self, node: &FdtNode<'a>, properties: &Properties<'a>, bus: &Bus<'_, 'a>, kind: UartKind) {
        if let Some(registers) = bus.regions(properties.reg).next() {
            self.uarts.push(Some(UartNode {
                name: node.name(),
                kind,
                registers,
                interrupts: interrupts(properties, bus),
                clock: properties.clock_frequency,
                clock_phandle: properties.clocks,
            }));
        }
    }

    fn psci(&mut self, node: &Properties<'a>, version: PsciVersion) -> Result<(), FactsError> {
        let method = match node.method {
            b"hvc\0" => PsciMethod::Hvc,
            b"smc\0" => PsciMethod::Smc,
            _ => {
                return Err(FactsError::Property {
                    node: "PSCI node",
                    property: "method",
                    expected: "\"hvc\" or \"smc\"",
                });
            }
        };
        self.psci.get_or_insert(Psci { method, version });
        Ok(())
    }

    /// Puts together what was seen.
    pub fn finish(self, tree: Fdt<'a>) -> Result<Facts, FactsError> {
        if self.memory.is_empty() {
            return Err(FactsError::NoNode {
                node: "memory",
                expected: "device_type \"memory\" and a size in \"reg\"",
            });
        }
        if self.cores.is_empty() {
            return Err(FactsError::NoNode { node: "core", expected: "device_type \"cpu\" under /cpus" });
        }
        let gic = self.gic.ok_or(FactsError::NoNode {
            node: "interrupt controller",
            expected: "compatible \"arm,gic-v3\", \"arm,gic-400\" or \"arm,cortex-a15-gic\"",
        })?;
        let timer =
            self.timer.ok_or(FactsError::NoNode { node: "timer", expected: "compatible \"arm,armv8-timer\"" })?;
        let timer = timer.finish(&gic.decoder)?;
        Ok(Facts {
            uart: self.console(tree, &gic.decoder),
            gic: gic.finish()?,
            timer,
            compatible: self.compatible,
            memory: self.memory,
            reserved: self.reserved,
            cores: self.cores,
            rtc: self.rtc,
            psci: self.psci,
            bundle: self.initrd.or(self.module),
        })
    }

    /// The serial port that `stdout-path` names, else the first PL011.
    fn console(&self, tree: Fdt<'a>, decoder: &Decoder) -> Option<Uart> {
        let named = stdout(tree, self.stdout_path).map(|node| node.name().as_ptr());
        let uarts = || self.uarts.iter().flatten();
        let chosen = uarts().find(|uart| Some(uart.name.as_ptr()) == named);
        let uart = chosen.or_else(|| uarts().find(|uart| uart.kind == UartKind::Pl011))?;
        let fixed = self.clocks.iter().find(|(phandle, _)| Some(*phandle) == uart.clock_phandle);
        Some(Uart {
            kind: uart.kind,
            registers: uart.registers,
            intid: decoder.intid(uart.interrupts, 0),
            clock: uart.clock.or(fixed.map(|(_, frequency)| *frequency)),
        })
    }
}

impl GicNode<'_> {
    fn finish(&self) -> Result<Gic, FactsError> {
        let wrong = |property, expected| FactsError::Property { node: "interrupt controller", property, expected };
        let maintenance = self.decoder.intid(self.interrupts, 0);
        let maintenance = maintenance.ok_or(wrong("interrupts", "the maintenance interrupt, in 3 cells or more"))?;
        if self.is_v3 {
            let expected = "distributor and redistributors, #redistributor-regions of them and 4 at most";
            let (distributor, rest) = self.regions.split_first().ok_or(wrong("reg", expected))?;
            let regions = rest.get(..self.redistributor_regions).ok_or(wrong("reg", expected))?;
            let mut redistributors = List::default();
            if regions.is_empty() || !regions.iter().all(|region| redistributors.push(*region)) {
                return Err(wrong("reg", expected));
            }
            return Ok(Gic::V3 { distributor: *distributor, redistributors, stride: self.stride, maintenance });
        }
        match *self.regions {
            [distributor, cpu_interface, hypervisor_interface, virtual_interface, ..] => {
                Ok(Gic::V2 { distributor, cpu_interface, hypervisor_interface, virtual_interface, maintenance })
            }
            _ => Err(wrong("reg", "GICD, GICC, GICH and GICV: a GICv2 with virtualization extensions")),
        }
    }
}

impl TimerNode<'_> {
    /// Without names the order is secure, physical, virtual, hypervisor (`timer/arm,arch_timer.yaml`).
    fn finish(&self, decoder: &Decoder) -> Result<Timer, FactsError> {
        let intid = |name: &[u8], default| {
            let index = match self.names {
                [] => Some(default),
                names => strings(names).position(|text| text == name),
            };
            index.and_then(|index| decoder.intid(self.interrupts, index)).ok_or(FactsError::Property {
                node: "timer",
                property: "interrupts",
                expected: "the GIC's interrupts of the secure, physical, virtual and hypervisor timer",
            })
        };
        Ok(Timer {
            physical: intid(b"phys", 1)?,
            virtual_timer: intid(b"virt", 2)?,
            hypervisor: intid(b"hyp-phys", 3)?,
            frequency: self.frequency,
        })
    }
}

fn interrupts<'a>(node: &Properties<'a>, bus: &Bus<'_, 'a>) -> Interrupts<'a> {
    Interrupts { value: node.interrupts, parent: node.interrupt_parent.or(bus.interrupt_parent) }
}

/// The node that `stdout-path` names: a path or an alias, with options behind a colon.
fn stdout<'a>(tree: Fdt<'a>, value: &'a [u8]) -> Option<FdtNode<'a>> {
    let target = strings(value).next()?.split(|byte| *byte == b':').next()?;
    let target = core::str::from_utf8(target).ok()?;
    if target.starts_with('/') {
        return tree.find_node(target);
    }
    let aliases = tree.find_node("/aliases")?;
    let alias = aliases.property(target)?;
    let path: &'a [u8] = alias.value_as().ok()?;
    tree.find_node(core::str::from_utf8(strings(path).next()?).ok()?)
}
