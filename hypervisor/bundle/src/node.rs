//! A device's node in the tree of its guest: what a driver needs, with addresses and interrupts as the guest has them.
//!
//! References to other nodes mean nothing there, so a clock becomes a fixed one, and the rest is left out but for what
//! [`KEPT`] names.

use alloc::format;
use alloc::vec::Vec;

use portcullis_board::device::Device;
use portcullis_tree::Writer;

/// Properties without references, which are taken over as they are.
pub const KEPT: [&str; 9] = [
    "#gpio-cells",
    "#interrupt-cells",
    "dma-coherent",
    "gpio-controller",
    "interrupt-controller",
    "interrupt-names",
    "reg-io-width",
    "reg-names",
    "reg-shift",
];

/// Most bytes that a device takes in the tree.
pub const NODE_ROOM: usize = 1024;
/// Interrupt specifier: shared, and how it is triggered.
const SPI: u32 = 0;
const EDGE_RISING: u32 = 1;
const LEVEL_HIGH: u32 = 4;

/// Writes the node of `device`. `phandle` is one that nothing else has, for its clock.
pub fn write(device: &Device, tree: &mut Writer, phandle: u32) {
    if let Some(frequency) = device.clock {
        tree.begin(&format!("clock-{phandle}"));
        tree.cells("phandle", &[phandle]);
        tree.string("compatible", "fixed-clock");
        tree.cells("clock-frequency", &[frequency]);
        tree.cells("#clock-cells", &[0]);
        tree.end();
    }
    let name = core::str::from_utf8(device.name).unwrap_or("device");
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let address = device.registers.first().map_or(0, |region| region.start);
    tree.begin(&format!("{name}@{address:x}"));
    tree.bytes("compatible", device.compatible);
    let mut cells = Vec::new();
    for region in &device.registers {
        cells.extend([region.start >> 32, region.start, region.size() >> 32, region.size()].map(|half| half as u32));
    }
    tree.cells("reg", &cells);
    cells.clear();
    for interrupt in &device.interrupts {
        let trigger = if interrupt.edge { EDGE_RISING } else { LEVEL_HIGH };
        cells.extend([SPI, interrupt.physical.saturating_sub(32), trigger]);
    }
    if !cells.is_empty() {
        tree.cells("interrupts", &cells);
    }
    if device.clock.is_some() {
        let names = device.clock_names.iter().filter(|byte| **byte == 0).count();
        cells.clear();
        cells.resize(names.max(1), phandle);
        tree.cells("clocks", &cells);
        if names != 0 {
            tree.bytes("clock-names", device.clock_names);
        }
    }
    for (name, value) in &device.kept {
        tree.bytes(name, value);
    }
    tree.end();
}

/// Bytes that the node of `device` takes in the tree.
pub fn size(device: &Device) -> usize {
    let mut tree = Writer::new(NODE_ROOM);
    write(device, &mut tree, 0);
    tree.len()
}

#[cfg(test)]
pub(crate) mod tests {
    use dtoolkit::fdt::Fdt;
    use dtoolkit::{Node, Property};

    use portcullis_board::{Range, device::Interrupt};

    use super::*;

    /// A device with nothing but registers.
    pub fn device(address: u64, size: u64) -> Device {
        Device {
            path: "/d@0",
            name: b"d@0",
            compatible: b"d\0",
            registers: [Range::sized(address, size)].into(),
            ..Device::default()
        }
    }

    fn built(device: &Device) -> Vec<u8> {
        let mut tree = Writer::new(0);
        tree.begin("");
        write(device, &mut tree, 9);
        tree.end();
        tree.finish()
    }

    fn value(tree: &[u8], path: &str, name: &str) -> Option<Vec<u8>> {
        let tree = Fdt::new(tree).unwrap();
        let node = tree.find_node(path).unwrap_or_else(|| panic!("no {path}"));
        node.properties().find(|property| property.name() == name).map(|property| property.value().to_vec())
    }

    fn cells(cells: &[u32]) -> Option<Vec<u8>> {
        Some(cells.iter().flat_map(|cell| cell.to_be_bytes()).collect())
    }

    #[test]
    fn a_driver_finds_what_it_needs() {
        let uart = Device {
            name: b"serial@7e201400",
            compatible: b"arm,pl011\0arm,primecell\0",
            interrupts: [(153, false), (154, true)].map(|(physical, edge)| Interrupt { physical, edge }).into(),
            clock: Some(48_000_000),
            clock_names: b"uartclk\0apb_pclk\0",
            kept: [("reg-names", &b"all\0"[..])].into(),
            ..device(0xfe20_1400, 0x200)
        };
        let tree = built(&uart);
        let of = |name| value(&tree, "/serial@fe201400", name);
        assert_eq!(of("compatible").unwrap(), b"arm,pl011\0arm,primecell\0");
        assert_eq!(of("reg"), cells(&[0, 0xfe20_1400, 0, 0x200]));
        assert_eq!(of("interrupts"), cells(&[0, 121, 4, 0, 122, 1]));
        assert_eq!(of("clocks"), cells(&[9, 9]));
        assert_eq!(of("clock-names").unwrap(), b"uartclk\0apb_pclk\0");
        assert_eq!(of("reg-names").unwrap(), b"all\0");
        assert_eq!(value(&tree, "/clock-9", "clock-frequency"), cells(&[48_000_000]));
        assert_eq!(value(&tree, "/clock-9", "phandle"), cells(&[9]));
        assert!(size(&uart) < NODE_ROOM);
    }

    #[test]
    fn what_is_not_there_is_not_made_up() {
        let plain = device(0x902_0000, 0x18);
        let tree = built(&plain);
        for name in ["interrupts", "clocks", "clock-names"] {
            assert_eq!(value(&tree, "/d@9020000", name), None, "{name}");
        }
        assert!(Fdt::new(&tree).unwrap().find_node("/clock-9").is_none());
    }
}
