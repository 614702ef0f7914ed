//! The device tree that a VM gets: what Linux needs of QEMU's `virt` machine (Devicetree Specification 0.4, and the
//! kernel's bindings `arm/cpus.yaml`, `arm/psci.yaml`, `timer/arm,arch_timer.yaml`, `interrupt-controller/arm,gic*.yaml`,
//! `serial/pl011.yaml`).

pub mod caches;
mod generation;

use alloc::format;
use alloc::vec::Vec;
use core::fmt;

use portcullis_abi::{bundle, function, map};
use portcullis_board::Range;
use portcullis_board::device::Device;
use portcullis_devices::{Description, Device as _, EMULATED, Trigger, uart::Pl011};
use portcullis_tree::Writer;
use portcullis_vgic::GicVersion;

use crate::node::{self, NODE_ROOM};
use caches::CACHE_LEVELS_MAX;

/// Phandle of the interrupt controller.
const GIC_PHANDLE: u32 = 1;
/// Phandle of the UART's clock.
const CLOCK_PHANDLE: u32 = 2;
/// Most frames of one of them.
const FRAMES: usize = 2;
/// Words of a full `rng-seed`: 256 bits.
pub const RNG_SEED_WORDS: usize = 4;
/// What a tree with a few vCPUs takes, for the first allocation.
const CAPACITY: usize = 4096;
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
    /// Levels of caches that its vCPUs' CLIDR_EL1 tells of.
    pub cache_levels: u32,
    /// Devices that EL2 emulates, besides the UART; each is among [`EMULATED`].
    pub emulated: &'a [&'static Description],
    /// Devices that it drives itself.
    pub devices: &'a [Device],
    /// Random word by which the kernel chooses where it lies.
    pub kaslr_seed: Option<u64>,
    /// Random words that the kernel's random number generator starts with, [`RNG_SEED_WORDS`] at the most.
    pub rng_seed: Option<&'a [u64]>,
    /// It has a watchdog.
    pub watchdog: bool,
    /// It can be saved, and is told when it was restored.
    pub movable: bool,
    /// What the lines of its GPIO controller are called, in their order; empty without one.
    pub gpio_lines: &'a [&'a str],
    /// Slots of its virtio transports that have a device, in their order.
    pub virtio: &'a [usize],
    /// The memory that it shares, [`bundle::SHARED_MEMORY_MAX`] pieces at the most.
    pub shared: &'a [Shared<'a>],
}

/// Memory that a VM shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shared<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where the VM has it, its state pages among it.
    pub at: Range,
    /// Which of the state pages is the VM's own.
    pub place: u32,
}

/// What the names of a GPIO controller's lines take at the most: the property, and each with its NUL.
const LINES_ROOM: usize = 64 + map::GPIO_LINES * (bundle::NAME_MAX + 1);
/// What the node takes that all shared memory is in, and what the name of each of its properties does.
const RESERVED_ROOM: usize = 256;
/// What a node of shared memory takes at the most.
const SHARED_ROOM: usize = 224;
/// What the node of a virtio transport takes at the most, with the names of its properties.
const TRANSPORT_ROOM: usize = 160;

impl GuestTree<'_> {
    /// An upper bound for the length of the tree of a VM with so many vCPUs, this command line and so many devices, none of
    /// which takes more than [`NODE_ROOM`]: the length of the longest one.
    pub fn room(vcpus: usize, cmdline: &str, devices: usize) -> u64 {
        let none = Range::sized(map::RAM, 0);
        let largest = GuestTree {
            memory: none,
            vcpus,
            cmdline,
            initrd: Some(none),
            conduits: bundle::CONDUIT_HVC,
            psci: function::PSCI_VERSION_1_0,
            gic: GicVersion::V3,
            cache_levels: CACHE_LEVELS_MAX,
            emulated: &EMULATED,
            devices: &[],
            kaslr_seed: Some(0),
            rng_seed: Some(&[0; RNG_SEED_WORDS]),
            watchdog: true,
            movable: true,
            gpio_lines: &[],
            virtio: &[],
            shared: &[],
        };
        largest.write().finish().len().saturating_add(devices.saturating_mul(NODE_ROOM)) as u64
    }

    /// How much more room it needs for a VM that has ends of wires, shares so many pieces of memory, or has so many virtio
    /// transports.
    pub const fn room_of_links(wires: bool, shared: usize, transports: usize) -> u64 {
        let wires = if wires { LINES_ROOM } else { 0 };
        let shared = if shared == 0 { 0 } else { RESERVED_ROOM.saturating_add(SHARED_ROOM.saturating_mul(shared)) };
        wires.saturating_add(shared).saturating_add(TRANSPORT_ROOM.saturating_mul(transports)) as u64
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
        Ok(self.write().finish())
    }

    fn write(&self) -> Writer {
        let mut tree = Writer::new(CAPACITY.saturating_add(self.cmdline.len()));
        tree.begin("");
        tree.cells("interrupt-parent", &[GIC_PHANDLE]);
        tree.string("model", "Portcullis VM");
        tree.cells("#size-cells", &[2]);
        tree.cells("#address-cells", &[2]);
        tree.string("compatible", "linux,dummy-virt");
        self.chosen(&mut tree);
        self.memory(&mut tree);
        self.reserved(&mut tree);
        hypervisor(&mut tree);
        self.cpus(&mut tree);
        self.psci(&mut tree);
        timer(&mut tree);
        if self.watchdog {
            watchdog(&mut tree);
        }
        if self.movable {
            generation::write(&mut tree);
        }
        self.gic(&mut tree);
        clock(&mut tree);
        self.emulated(&mut tree, &Pl011::DESCRIPTION);
        self.emulated.iter().for_each(|device| self.emulated(&mut tree, device));
        self.virtio.iter().for_each(|slot| transport(&mut tree, *slot));
        for (phandle, device) in (DEVICE_PHANDLES..).zip(self.devices) {
            node::write(device, &mut tree, phandle);
        }
        tree.end();
        tree
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

    /// The memory that it shares: nobody's to allocate from (binding `reserved-memory/reserved-memory.yaml`).
    fn reserved(&self, tree: &mut Writer) {
        if self.shared.is_empty() {
            return;
        }
        tree.begin("reserved-memory");
        tree.cells("#address-cells", &[2]);
        tree.cells("#size-cells", &[2]);
        tree.bytes("ranges", &[]);
        for Shared { name, at, place } in self.shared {
            tree.begin(&format!("{name}@{:x}", at.start));
            tree.string("compatible", "portcullis,shared-memory");
            tree.string("label", name);
            tree.numbers("reg", &[at.start, at.size()]);
            tree.cells("portcullis,state-page", &[*place]);
            tree.bytes("no-map", &[]);
            tree.end();
        }
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
            caches::of_cpu(tree, index, self.cache_levels);
            tree.end();
        }
        caches::shared(tree, self.cache_levels);
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
        tree.cells("#address-cells", &[0]);
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

    /// A device that EL2 emulates. Each of its clocks is the one that there is.
    fn emulated(&self, tree: &mut Writer, device: &Description) {
        tree.begin(device.node);
        if device.clocks != 0 {
            tree.string("clock-names", device.clock_names);
            let clocks = [CLOCK_PHANDLE; 2];
            tree.cells("clocks", clocks.get(..device.clocks).unwrap_or(&clocks));
        }
        if let Some((intid, trigger)) = device.interrupt {
            let trigger = if trigger == Trigger::Level { LEVEL_HIGH } else { EDGE_RISING };
            tree.cells("interrupts", &[SPI, intid.saturating_sub(32), trigger]);
        }
        if let Some(width) = device.bank_width {
            tree.cells("bank-width", &[width]);
        }
        if let Some(cells) = device.gpio_cells {
            tree.bytes("gpio-controller", &[]);
            tree.cells("#gpio-cells", &[cells]);
            if !self.gpio_lines.is_empty() {
                tree.string("gpio-line-names", &self.gpio_lines.join("\0"));
            }
        }
        let mut reg = [0; 2 * FRAMES];
        let numbers = device.frames.iter().flat_map(|frame| [frame.start, frame.size]);
        reg.iter_mut().zip(numbers).for_each(|(cell, number)| *cell = number);
        tree.numbers("reg", reg.get(..2 * device.frames.len()).unwrap_or(&reg));
        tree.string("compatible", device.compatible);
        tree.end();
    }
}

/// Tells that this is a virtual machine, to `systemd-detect-virt` among others ("vm-other"). Linux takes a node of this name for
/// Xen's or KVM's only if it says so.
fn hypervisor(tree: &mut Writer) {
    tree.begin("hypervisor");
    tree.string("compatible", "portcullis,hypervisor");
    tree.end();
}

/// The watchdog behind the firmware call, for Linux' `arm_smc_wdt` (binding `watchdog/arm-smc-wdt.yaml`).
fn watchdog(tree: &mut Writer) {
    tree.begin("watchdog");
    tree.cells("arm,smc-id", &[function::WATCHDOG]);
    tree.string("compatible", "arm,smc-wdt");
    tree.end();
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

/// A virtio transport as QEMU's `virt` has it (binding `virtio/mmio.yaml`).
fn transport(tree: &mut Writer, slot: usize) {
    let at = map::VIRTIO.saturating_add(map::VIRTIO_SIZE.saturating_mul(slot as u64));
    tree.begin(&format!("virtio_mmio@{at:x}"));
    tree.bytes("dma-coherent", &[]);
    tree.cells("interrupts", &[SPI, (map::VIRTIO_INTID - 32).saturating_add(slot as u32), EDGE_RISING]);
    tree.numbers("reg", &[at, map::VIRTIO_SIZE]);
    tree.string("compatible", "virtio,mmio");
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

#[cfg(test)]
mod tests;
