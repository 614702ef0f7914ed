//! Edits of the device tree that QEMU makes for its `virt` machine, for tests of what a board's tree may say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use dtoolkit::{Node, Property};
use portcullis_abi::map::RTC_INTID;

use crate::defect::Defect;
use crate::devices;

/// The interrupt controller.
const GIC: &str = "/intc@8000000";
/// The first serial port.
const CONSOLE: &str = "/pl011@9000000";
/// The second serial port.
const SERIAL: &str = "/pl011@9040000";
/// The real-time clock.
const CLOCK: &str = "/pl031@9010000";
/// Four letters of what a PL061 is compatible with, "arm,pl061", in place of those of "arm,pl031".
const OF_GPIO: u32 = u32::from_be_bytes(*b"pl06");
/// The timers: secure, physical, virtual, hypervisor.
const TIMER: &str = "/timer";
/// A private interrupt that no timer has.
const OTHER_PPI: u32 = 5;
/// Bytes of a GICv3's redistributor (Arm IHI 0069, 12.10): its two frames.
const REDISTRIBUTOR: u32 = 0x2_0000;
/// An address at which nothing of QEMU's `virt` answers.
const NOWHERE: u32 = 0x0b10_0000;
/// The first shared interrupt.
const FIRST_SHARED: u32 = 32;
/// Of an interrupt in the tree: its trigger (Linux, Documentation/devicetree/bindings/interrupt-controller/arm,gic-v3.yaml).
const RISING_EDGE: u32 = 1;

/// The tree of the machine that `qemu` would start, with this defect, as a file in `folder`: for QEMU's `-dtb`, with which it adds
/// what it loads itself.
///
/// # Errors
///
/// QEMU makes no tree, the machine does not have what is to be wrong, or the file cannot be written.
pub fn make(qemu: Command, folder: &Path, defect: Defect) -> Result<PathBuf> {
    let tree = devices::dump(qemu, folder)?.context("QEMU made no device tree")?;
    let file = folder.join("defect.dtb");
    fs::write(&file, edit(&tree, defect)?).with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(file)
}

fn edit(tree: &[u8], defect: Defect) -> Result<Vec<u8>> {
    let tree = Fdt::new(tree).map_err(|error| anyhow!("QEMU's device tree: {error}"))?;
    let mut tree = DeviceTree::from_fdt(&tree);
    if defect == Defect::TwoRegions {
        split_redistributors(&mut tree).with_context(|| format!("{GIC} has no redistributors"))?;
        return Ok(tree.to_dtb());
    }
    let (path, name, cell, value) = match defect {
        // Address and size in two cells each: the distributor, the redistributors.
        Defect::OneRedistributor => (GIC, "reg", 7, REDISTRIBUTOR),
        Defect::MisplacedDistributor => (GIC, "reg", 1, NOWHERE),
        Defect::MisplacedCpuInterface => (GIC, "reg", 5, NOWHERE),
        Defect::MisplacedVirtualControl => (GIC, "reg", 9, NOWHERE),
        // Kind, number, trigger.
        Defect::TakenInterrupt => (SERIAL, "interrupts", 1, RTC_INTID - FIRST_SHARED),
        Defect::Edge => (SERIAL, "interrupts", 2, RISING_EDGE),
        Defect::AbsentSerial => (CONSOLE, "reg", 1, NOWHERE),
        Defect::MisplacedClock => (CLOCK, "reg", 1, NOWHERE),
        Defect::DisguisedClock => (CLOCK, "compatible", 1, OF_GPIO),
        // The third of the timers.
        Defect::OtherTimer => (TIMER, "interrupts", 7, OTHER_PPI),
        other => bail!("{other:?} is none of this machine's"),
    };
    let node = tree.find_node_mut(path).with_context(|| format!("QEMU's device tree has no {path}"))?;
    set_cell(node, name, cell, value).with_context(|| format!("{path} has no cell {cell} of {name}"))?;
    Ok(tree.to_dtb())
}

/// Has the tree tell of the redistributors in two regions: two in the first one, the others in the second.
fn split_redistributors(tree: &mut DeviceTree) -> Option<()> {
    const IN_FIRST: u32 = 2 * REDISTRIBUTOR;
    let node = tree.find_node_mut(GIC)?;
    let reg = node.property("reg")?.value().to_vec();
    let cell = |at: usize| Some(u32::from_be_bytes(*reg.get(at * 4..)?.first_chunk()?));
    let (start, size) = (cell(5)?, cell(7)?);
    let mut cells: Vec<u32> = (0..7).map_while(cell).collect();
    cells.extend([IN_FIRST, 0, start.checked_add(IN_FIRST)?, 0, size.checked_sub(IN_FIRST)?]);
    let property = |name: &str, cells: &[u32]| {
        DeviceTreeProperty::new_unchecked(name, cells.iter().flat_map(|cell| cell.to_be_bytes()).collect::<Vec<u8>>())
    };
    node.add_property(property("reg", &cells));
    node.add_property(property("#redistributor-regions", &[2]));
    node.add_property(property("redistributor-stride", &[0, REDISTRIBUTOR]));
    Some(())
}

/// Changes one cell of a property that there is.
fn set_cell(node: &mut DeviceTreeNode, name: &str, cell: usize, value: u32) -> Option<()> {
    let mut bytes = node.property(name)?.value().to_vec();
    bytes.get_mut(cell.checked_mul(4)?..)?.first_chunk_mut().map(|cell| *cell = value.to_be_bytes())?;
    node.add_property(DeviceTreeProperty::new_unchecked(name, bytes));
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What QEMU makes, in small.
    fn machine() -> Vec<u8> {
        let mut tree = DeviceTree::new();
        let mut nodes: Vec<DeviceTreeNode> = Vec::new();
        let cells = |cells: &[u32]| cells.iter().flat_map(|cell| cell.to_be_bytes()).collect::<Vec<u8>>();
        for (node, name, value) in [
            ("intc@8000000", "reg", cells(&[0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0xf6_0000])),
            ("pl011@9000000", "reg", cells(&[0, 0x900_0000, 0, 0x1000])),
            ("pl011@9040000", "interrupts", cells(&[0, 8, 4])),
            ("pl031@9010000", "compatible", b"arm,pl031\0arm,primecell\0".to_vec()),
            ("pl031@9010000", "reg", cells(&[0, 0x901_0000, 0, 0x1000])),
            ("timer", "interrupts", cells(&[1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4])),
        ] {
            let property = DeviceTreeProperty::new_unchecked(name, value);
            match nodes.last_mut().filter(|last| last.name() == node) {
                Some(last) => last.add_property(property),
                None => {
                    let mut node = DeviceTreeNode::new_unchecked(node);
                    node.add_property(property);
                    nodes.push(node);
                }
            }
        }
        nodes.into_iter().for_each(|node| tree.root.add_child(node));
        tree.to_dtb()
    }

    fn cells(defect: Defect, path: &str, name: &str) -> Vec<u32> {
        let tree = edit(&machine(), defect).unwrap();
        let tree = DeviceTree::from_fdt(&Fdt::new(&tree).unwrap());
        let value = tree.find_node(path).unwrap().property(name).unwrap().value().to_vec();
        value.as_chunks().0.iter().map(|cell| u32::from_be_bytes(*cell)).collect()
    }

    #[test]
    fn each_defect_is_one_cell() {
        let reg = cells(Defect::OneRedistributor, GIC, "reg");
        assert_eq!(reg, [0, 0x800_0000, 0, 0x1_0000, 0, 0x80a_0000, 0, 0x2_0000]);
        let reg = cells(Defect::MisplacedCpuInterface, GIC, "reg");
        assert_eq!(reg, [0, 0x800_0000, 0, 0x1_0000, 0, NOWHERE, 0, 0xf6_0000]);
        let reg = cells(Defect::MisplacedDistributor, GIC, "reg");
        assert_eq!(reg, [0, NOWHERE, 0, 0x1_0000, 0, 0x80a_0000, 0, 0xf6_0000]);
        assert_eq!(cells(Defect::MisplacedClock, CLOCK, "reg"), [0, NOWHERE, 0, 0x1000]);
        assert_eq!(cells(Defect::TakenInterrupt, SERIAL, "interrupts"), [0, 2, 4]);
        assert_eq!(cells(Defect::AbsentSerial, CONSOLE, "reg"), [0, NOWHERE, 0, 0x1000]);
        assert_eq!(cells(Defect::Edge, SERIAL, "interrupts"), [0, 8, 1]);
        assert_eq!(cells(Defect::Edge, GIC, "reg")[7], 0xf6_0000);
        assert_eq!(cells(Defect::OtherTimer, TIMER, "interrupts")[6..9], [1, 5, 4]);
        let name: Vec<u8> =
            cells(Defect::DisguisedClock, CLOCK, "compatible").iter().flat_map(|cell| cell.to_be_bytes()).collect();
        assert_eq!(name, b"arm,pl061\0arm,primecell\0");
    }

    #[test]
    fn redistributors_are_told_of_in_two_regions() {
        let reg = cells(Defect::TwoRegions, GIC, "reg");
        assert_eq!(reg[4..], [0, 0x80a_0000, 0, 0x4_0000, 0, 0x80e_0000, 0, 0xf2_0000]);
        assert_eq!(cells(Defect::TwoRegions, GIC, "#redistributor-regions"), [2]);
        assert_eq!(cells(Defect::TwoRegions, GIC, "redistributor-stride"), [0, 0x2_0000]);
    }

    #[test]
    fn what_the_machine_does_not_have_is_told() {
        let error = |tree: &[u8], defect| format!("{:#}", edit(tree, defect).unwrap_err());
        assert!(error(b"no tree", Defect::Edge).contains("QEMU's device tree"));
        assert!(error(&DeviceTree::new().to_dtb(), Defect::Edge).contains("has no /pl011@9040000"));
        assert!(error(&machine(), Defect::AbsentCore).contains("AbsentCore"));
    }
}
