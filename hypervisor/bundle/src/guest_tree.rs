//! The device tree that a VM gets: what Linux needs of QEMU's `virt` machine (Devicetree Specification 0.4, and the
//! kernel's bindings `arm/cpus.yaml`, `arm/psci.yaml`, `timer/arm,arch_timer.yaml`, `interrupt-controller/arm,gic*.yaml`,
//! `serial/pl011.yaml`).

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::{bundle, function, map};
use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_devices::{Description, Device as _, Trigger, uart::Pl011};
use portcullis_tree::Writer;
use portcullis_vgic::GicVersion;

use crate::node::{self, NODE_ROOM};

/// Phandle of the interrupt controller.
const GIC_PHANDLE: u32 = 1;
/// Phandle of the UART's clock.
const CLOCK_PHANDLE: u32 = 2;
/// Phandle of the clock of the first device that the VM drives itself; of the others those that follow.
const DEVICE_PHANDLES: u32 = 3;
/// The UART's clock in Hz, as on QEMU's `virt`.
const CLOCK_HZ: u32 = 24_000_000;
/// Interrupt specifier, first cell: shared peripheral interrupt, the number counts from INTID 32.
const SPI: u32 = 0;
/// Interrupt specifier, first cell: private peripheral interrupt, the number counts from INTID 16.
const PPI: u32 = 1;
/// Interrupt specifier, third cell: level-sensitive, active high.
const LEVEL_HIGH: u32 = 4;
/// The same: edge-triggered, rising.
const EDGE_RISING: u32 = 1;

/// The command line holds a NUL character, which would end it early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NulError;

impl fmt::Display for NulError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the command line holds a NUL character; it must not")
    }
}

impl core::error::Error for NulError {}

/// What a VM's device tree depends on.
#[derive(Clone, Copy, Debug)]
pub struct GuestTree<'a> {
    /// RAM, in the VM's addresses.
    pub memory: Range,
    /// Number of vCPUs, at most [`map::MAX_VCPUS`].
    pub vcpus: usize,
    /// Kernel command line.
    pub cmdline: &'a str,
    /// Where the initial RAM disk lies in the VM's addresses.
    pub initrd: Option<Range>,
    /// Open conduits: [`bundle::CONDUIT_HVC`], [`bundle::CONDUIT_SMC`]. Without any, the VM has no PSCI.
    pub conduits: u32,
    /// PSCI version in the form of `PSCI_VERSION`: `major << 16 | minor`.
    pub psci: u32,
    /// The VM's interrupt controller.
    pub gic: GicVersion,
    /// Devices that EL2 emulates, besides the UART.
    pub emulated: &'a [&'static Description],
    /// Devices that it drives itself.
    pub devices: &'a [Device],
    /// Random word by which the kernel chooses where it lies.
    pub kaslr_seed: Option<u64>,
    /// Random words that the kernel's random number generator starts with.
    pub rng_seed: Option<&'a [u64]>,
}

impl GuestTree<'_> {
    /// An upper bound for the length of the tree with this command line and so many devices, none of which takes more than
    /// [`NODE_ROOM`]; what [`crate::image::Layout`] sets aside.
    pub const fn size_limit(cmdline: &str, devices: usize) -> usize {
        4096usize.saturating_add(cmdline.len()).saturating_add(devices.saturating_mul(NODE_ROOM))
    }

    /// Writes the tree.
    ///
    /// # Errors
    ///
    /// The command line contains a NUL character.
    pub fn build(&self) -> Result<Vec<u8>, NulError> {
        if self.cmdline.contains('\0') {
            return Err(NulError);
        }
        let mut tree = Writer::new(Self::size_limit(self.cmdline, self.devices.len()));
        tree.begin("");
        tree.cells("interrupt-parent", &[GIC_PHANDLE]);
        tree.string("model", "Portcullis VM");
        tree.cells("#size-cells", &[2]);
        tree.cells("#address-cells", &[2]);
        tree.string("compatible", "linux,dummy-virt");
        self.chosen(&mut tree);
        self.memory(&mut tree);
        self.cpus(&mut tree);
        self.psci(&mut tree);
        timer(&mut tree);
        self.gic(&mut tree);
        clock(&mut tree);
        emulated(&mut tree, &Pl011::DESCRIPTION);
        self.emulated.iter().for_each(|device| emulated(&mut tree, device));
        for (phandle, device) in (DEVICE_PHANDLES..).zip(self.devices) {
            node::write(device, &mut tree, phandle);
        }
        tree.end();
        Ok(tree.finish())
    }

    fn chosen(&self, tree: &mut Writer) {
        tree.begin("chosen");
        tree.string("stdout-path", "/pl011@9000000");
        tree.string("bootargs", self.cmdline);
        if let Some(initrd) = self.initrd {
            tree.numbers("linux,initrd-start", &[initrd.start]);
            tree.numbers("linux,initrd-end", &[initrd.end]);
        }
        if let Some(seed) = self.kaslr_seed {
            tree.numbers("kaslr-seed", &[seed]);
        }
        if let Some(seed) = self.rng_seed {
            tree.numbers("rng-seed", seed);
        }
        tree.end();
    }

    fn memory(&self, tree: &mut Writer) {
        match self.memory.start {
            map::RAM => tree.begin("memory@40000000"),
            ram => tree.begin(&format!("memory@{ram:x}")),
        }
        tree.string("device_type", "memory");
        tree.numbers("reg", &[self.memory.start, self.memory.size()]);
        tree.end();
    }

    fn cpus(&self, tree: &mut Writer) {
        const NAMES: [&str; map::MAX_VCPUS] = ["cpu@0", "cpu@1", "cpu@2", "cpu@3", "cpu@4", "cpu@5", "cpu@6", "cpu@7"];
        tree.begin("cpus");
        tree.cells("#address-cells", &[1]);
        tree.cells("#size-cells", &[0]);
        for (index, name) in (0..).zip(NAMES).take(self.vcpus) {
            tree.begin(name);
            tree.string("device_type", "cpu");
            tree.string("compatible", "arm,armv8");
            if self.has_psci() {
                tree.string("enable-method", "psci");
            }
            tree.cells("reg", &[index]);
            tree.end();
        }
        tree.end();
    }

    fn has_psci(&self) -> bool {
        self.conduits & (bundle::CONDUIT_HVC | bundle::CONDUIT_SMC) != 0
    }

    fn psci(&self, tree: &mut Writer) {
        if !self.has_psci() {
            return;
        }
        tree.begin("psci");
        tree.string("method", if self.conduits & bundle::CONDUIT_HVC != 0 { "hvc" } else { "smc" });
        // "arm,psci" stands for version 0.1, whose function ids are properties; from 0.2 on it is a mere fallback.
        tree.string(
            "compatible",
            match self.psci {
                function::PSCI_VERSION_1_0.. => "arm,psci-1.0\0arm,psci-0.2\0arm,psci",
                _ => "arm,psci-0.2\0arm,psci",
            },
        );
        tree.cells("cpu_suspend", &[function::PSCI_CPU_SUSPEND | function::SMC64]);
        tree.cells("cpu_off", &[function::PSCI_CPU_OFF]);
        tree.cells("cpu_on", &[function::PSCI_CPU_ON | function::SMC64]);
        tree.end();
    }

    fn gic(&self, tree: &mut Writer) {
        tree.begin("intc@8000000");
        tree.cells("phandle", &[GIC_PHANDLE]);
        tree.bytes("interrupt-controller", &[]);
        tree.cells("#interrupt-cells", &[3]);
        match self.gic {
            GicVersion::V2 => {
                tree.string("compatible", "arm,cortex-a15-gic");
                tree.numbers("reg", &[map::GICD, map::GICD_SIZE, map::GICC, map::GICC_SIZE]);
            }
            GicVersion::V3 => {
                let redistributors = map::GICR_STRIDE.saturating_mul(self.vcpus as u64);
                tree.string("compatible", "arm,gic-v3");
                tree.cells("#redistributor-regions", &[1]);
                tree.numbers("reg", &[map::GICD, map::GICD_SIZE, map::GICR, redistributors]);
            }
        }
        tree.end();
    }
}

/// The architected timers: secure, physical, virtual and hypervisor; Linux takes the virtual one.
fn timer(tree: &mut Writer) {
    tree.begin("timer");
    tree.string("compatible", "arm,armv8-timer");
    let interrupts = [13, 14, 11, 10].map(|ppi| [PPI, ppi, LEVEL_HIGH]);
    tree.cells("interrupts", interrupts.as_flattened());
    tree.bytes("always-on", &[]);
    tree.end();
}

fn clock(tree: &mut Writer) {
    tree.begin("apb-pclk");
    tree.cells("phandle", &[CLOCK_PHANDLE]);
    tree.string("compatible", "fixed-clock");
    tree.string("clock-output-names", "clk24mhz");
    tree.cells("clock-frequency", &[CLOCK_HZ]);
    tree.cells("#clock-cells", &[0]);
    tree.end();
}

/// A device that EL2 emulates. Each of its clocks is the one that there is.
fn emulated(tree: &mut Writer, device: &Description) {
    let (intid, trigger) = device.interrupt;
    tree.begin(device.node);
    tree.string("clock-names", device.clock_names);
    let clocks = [CLOCK_PHANDLE; 2];
    tree.cells("clocks", clocks.get(..device.clocks).unwrap_or(&clocks));
    let trigger = if trigger == Trigger::Level { LEVEL_HIGH } else { EDGE_RISING };
    tree.cells("interrupts", &[SPI, intid.saturating_sub(32), trigger]);
    tree.numbers("reg", &[device.frame.start, device.frame.size]);
    tree.string("compatible", device.compatible);
    tree.end();
}

#[cfg(test)]
mod tests {
    use dtoolkit::fdt::{Fdt, FdtNode};
    use dtoolkit::{Node, Property};

    use portcullis_devices::rtc::Pl031;

    use super::*;

    const DEFAULT: GuestTree<'static> = GuestTree {
        memory: Range::sized(map::RAM, 256 << 20),
        vcpus: 2,
        cmdline: "console=ttyAMA0",
        initrd: Some(Range::sized(0x4800_0000, 0x1234)),
        conduits: bundle::CONDUIT_HVC | bundle::CONDUIT_SMC,
        psci: function::PSCI_VERSION_1_1,
        emulated: &[&Pl031::DESCRIPTION],
        devices: &[],
        kaslr_seed: None,
        rng_seed: None,
        gic: GicVersion::V3,
    };

    fn node<'a>(tree: &'a [u8], path: &str) -> FdtNode<'a> {
        Fdt::new(tree).unwrap().find_node(path).unwrap_or_else(|| panic!("no {path}"))
    }

    fn value<'a>(tree: &'a [u8], path: &str, name: &str) -> &'a [u8] {
        let property = node(tree, path).properties().find(|property| property.name() == name);
        property.unwrap_or_else(|| panic!("no {name} in {path}")).value_as().unwrap()
    }

    fn u32s(tree: &[u8], path: &str, name: &str) -> Vec<u32> {
        let value = value(tree, path, name);
        assert!(value.len().is_multiple_of(4));
        value.chunks(4).map(|cell| u32::from_be_bytes(cell.try_into().unwrap())).collect()
    }

    #[test]
    fn tells_everything_that_linux_needs() {
        let tree = DEFAULT.build().unwrap();
        assert_eq!(value(&tree, "/", "compatible"), b"linux,dummy-virt\0");
        assert_eq!(value(&tree, "/", "model"), b"Portcullis VM\0");
        assert_eq!(value(&tree, "/chosen", "bootargs"), b"console=ttyAMA0\0");
        assert_eq!(value(&tree, "/chosen", "linux,initrd-start"), 0x4800_0000u64.to_be_bytes());
        assert_eq!(value(&tree, "/chosen", "linux,initrd-end"), 0x4800_1234u64.to_be_bytes());
        assert_eq!(u32s(&tree, "/memory@40000000", "reg"), [0, 0x4000_0000, 0, 0x1000_0000]);
        assert_eq!(u32s(&tree, "/cpus/cpu@1", "reg"), [1]);
        assert_eq!(node(&tree, "/cpus").children().count(), 2);
        assert_eq!(value(&tree, "/psci", "compatible"), b"arm,psci-1.0\0arm,psci-0.2\0arm,psci\0");
        assert_eq!(value(&tree, "/psci", "method"), b"hvc\0");
        assert_eq!(u32s(&tree, "/timer", "interrupts"), [1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4]);
        assert_eq!(value(&tree, "/intc", "compatible"), b"arm,gic-v3\0");
        assert_eq!(u32s(&tree, "/intc", "reg"), [0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x4_0000]);
        assert_eq!(u32s(&tree, "/pl011@9000000", "interrupts"), [0, 1, 4]);
        assert_eq!(value(&tree, "/pl031@9010000", "compatible"), b"arm,pl031\0arm,primecell\0");
        assert_eq!(u32s(&tree, "/pl031@9010000", "reg"), [0, 0x901_0000, 0, 0x1000]);
        assert_eq!(u32s(&tree, "/pl031@9010000", "interrupts"), [0, 2, 4]);
        assert_eq!(value(&tree, "/pl031@9010000", "clock-names"), b"apb_pclk\0");
        assert_eq!(u32s(&tree, "/pl031@9010000", "clocks"), u32s(&tree, "/apb-pclk", "phandle"));
    }

    #[test]
    fn the_console_path_exists_and_phandles_meet() {
        let tree = DEFAULT.build().unwrap();
        let path = value(&tree, "/chosen", "stdout-path").strip_suffix(b"\0").unwrap();
        assert_eq!(u32s(&tree, core::str::from_utf8(path).unwrap(), "reg"), [0, 0x900_0000, 0, 0x1000]);
        let clock = u32s(&tree, "/apb-pclk", "phandle");
        assert_eq!(u32s(&tree, "/pl011@9000000", "clocks"), [clock[0], clock[0]]);
        assert_eq!(u32s(&tree, "/intc", "phandle"), u32s(&tree, "/", "interrupt-parent"));
        assert_eq!(u32s(&tree, "/apb-pclk", "clock-frequency"), [24_000_000]);
    }

    #[test]
    fn no_seed_is_handed_out_that_was_not_drawn() {
        let tree = DEFAULT.build().unwrap();
        let chosen = node(&tree, "/chosen");
        let names: Vec<String> = chosen.properties().map(|property| property.name().into()).collect();
        assert_eq!(names, ["stdout-path", "bootargs", "linux,initrd-start", "linux,initrd-end"]);
    }

    #[test]
    fn seeds_are_numbers_of_the_bindings_lengths() {
        let words = [3, 4, 5, 6];
        let tree = GuestTree { kaslr_seed: Some(2), rng_seed: Some(&words), ..DEFAULT }.build().unwrap();
        assert_eq!(value(&tree, "/chosen", "kaslr-seed"), 2u64.to_be_bytes());
        assert_eq!(value(&tree, "/chosen", "rng-seed"), words.map(u64::to_be_bytes).as_flattened());
    }

    #[test]
    fn psci_follows_conduits_and_version() {
        let smc = GuestTree { conduits: bundle::CONDUIT_SMC, psci: function::PSCI_VERSION_0_2, ..DEFAULT };
        let tree = smc.build().unwrap();
        assert_eq!(value(&tree, "/psci", "method"), b"smc\0");
        assert_eq!(value(&tree, "/psci", "compatible"), b"arm,psci-0.2\0arm,psci\0");
        let tree = GuestTree { conduits: 0, vcpus: 1, ..DEFAULT }.build().unwrap();
        assert!(Fdt::new(&tree).unwrap().find_node("/psci").is_none());
        assert!(node(&tree, "/cpus/cpu@0").property("enable-method").is_none());
    }

    #[test]
    fn gicv2_has_its_cpu_interface() {
        let tree = GuestTree { gic: GicVersion::V2, ..DEFAULT }.build().unwrap();
        assert_eq!(value(&tree, "/intc", "compatible"), b"arm,cortex-a15-gic\0");
        assert_eq!(u32s(&tree, "/intc", "reg"), [0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x2000]);
    }

    #[test]
    fn stays_below_the_limit() {
        let cmdline = "x".repeat(2000);
        let most = GuestTree { vcpus: map::MAX_VCPUS, cmdline: &cmdline, ..DEFAULT };
        for gic in [GicVersion::V2, GicVersion::V3] {
            let tree = GuestTree { gic, ..most }.build().unwrap();
            assert!(tree.len() <= GuestTree::size_limit(&cmdline, 0), "{}", tree.len());
        }
        assert!(GuestTree { cmdline: "a\0b", ..DEFAULT }.build().is_err());
    }
}
