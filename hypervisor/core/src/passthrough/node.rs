//! A device's node in the tree of its guest: what a driver needs, with addresses and interrupts as the guest has them.
//!
//! References to other nodes mean nothing there, so a clock becomes a fixed one, and the rest is left out but for what
//! [`KEPT`] names.

use alloc::format;
use alloc::vec::Vec;

use portcullis_tree::Writer;

use super::Device;

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

impl Device {
    /// Writes its node. `phandle` is one that nothing else has, for its clock.
    pub fn write(&self, tree: &mut Writer, phandle: u32) {
        if let Some(frequency) = self.clock {
            tree.begin(&format!("clock-{phandle}"));
            tree.cells("phandle", &[phandle]);
            tree.string("compatible", "fixed-clock");
            tree.cells("clock-frequency", &[frequency]);
            tree.cells("#clock-cells", &[0]);
            tree.end();
        }
        let name = core::str::from_utf8(self.name).unwrap_or("device");
        let name = name.split_once('@').map_or(name, |(name, _)| name);
        let address = self.registers.first().map_or(0, |region| region.address);
        tree.begin(&format!("{name}@{address:x}"));
        tree.bytes("compatible", self.compatible);
        let mut cells = Vec::new();
        for region in &self.registers {
            cells
                .extend([region.address >> 32, region.address, region.size >> 32, region.size].map(|half| half as u32));
        }
        tree.cells("reg", &cells);
        cells.clear();
        for interrupt in &self.interrupts {
            let trigger = if interrupt.edge { EDGE_RISING } else { LEVEL_HIGH };
            cells.extend([SPI, interrupt.physical.saturating_sub(32), trigger]);
        }
        if !cells.is_empty() {
            tree.cells("interrupts", &cells);
        }
        if self.clock.is_some() {
            let names = self.clock_names.iter().filter(|byte| **byte == 0).count();
            cells.clear();
            cells.resize(names.max(1), phandle);
            tree.cells("clocks", &cells);
            if names != 0 {
                tree.bytes("clock-names", self.clock_names);
            }
        }
        for (name, value) in &self.kept {
            tree.bytes(name, value);
        }
        tree.end();
    }

    /// Bytes that its node takes in the tree.
    pub fn node_size(&self) -> usize {
        let mut tree = Writer::new(NODE_ROOM);
        self.write(&mut tree, 0);
        tree.len()
    }
}

#[cfg(test)]
mod tests {
    use dtoolkit::fdt::Fdt;
    use dtoolkit::{Node, Property};

    use super::super::{Interrupt, tests::device};
    use super::*;

    fn built(device: &Device) -> Vec<u8> {
        let mut tree = Writer::new(0);
        tree.begin("");
        device.write(&mut tree, 9);
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
        assert!(uart.node_size() < NODE_ROOM);
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
