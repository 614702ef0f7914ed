//! The edits of Debian's device tree that QEMU's machine needs.

use std::ops::Range;

use anyhow::{Context, Result, anyhow};
use dtoolkit::ToPropertyValue;
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

use crate::defect::Defect;

/// The console: the alias of the PL011, QEMU's first serial port.
const CONSOLE: &str = "serial0:115200n8";
/// A device that QEMU's machine lacks.
const RNG200: &str = "rng@7e104000";

/// The tree with the console that QEMU's first serial port is, for QEMU to do the rest.
///
/// # Errors
///
/// `tree` is not the device tree of the board.
pub fn console(tree: &[u8]) -> Result<Vec<u8>> {
    let mut tree = parse(tree)?;
    set(node(&mut tree, "/chosen")?, "stdout-path", CONSOLE);
    Ok(tree.to_dtb())
}

/// The tree as the board's firmware would hand it over: the console, `memory` bytes of RAM, the bundle, and no devices that
/// are not there.
///
/// # Errors
///
/// `tree` is not the device tree of the board.
pub fn complete(tree: &[u8], memory: u64, bundle: Range<u64>, defect: Option<Defect>) -> Result<Vec<u8>> {
    let mut tree = parse(tree)?;
    let chosen = node(&mut tree, "/chosen")?;
    set(chosen, "stdout-path", CONSOLE);
    set(chosen, "linux,initrd-start", bundle.start);
    set(chosen, "linux,initrd-end", bundle.end);
    let memory = match defect {
        Some(Defect::NoMemory) => 0,
        Some(Defect::LittleMemory) => bundle.end - 0x1000,
        _ => memory,
    };
    // Two cells of address and one of size.
    let reg: Vec<u8> = [0, 0, u32::try_from(memory)?].into_iter().flat_map(u32::to_be_bytes).collect();
    set(node(&mut tree, "/memory@0")?, "reg", reg);
    if defect != Some(Defect::AbsentDevice) {
        node(&mut tree, "/soc")?.remove_child(RNG200).with_context(|| format!("/soc has no {RNG200}"))?;
    }
    if defect == Some(Defect::FewerCores) {
        node(&mut tree, "/cpus")?.remove_child("cpu@3").context("/cpus has no cpu@3")?;
    }
    if defect == Some(Defect::AbsentCore) {
        set(node(&mut tree, "/cpus/cpu@3")?, "reg", 7u32);
    }
    Ok(tree.to_dtb())
}

fn parse(tree: &[u8]) -> Result<DeviceTree> {
    let tree = Fdt::new(tree).map_err(|error| anyhow!("the board's device tree: {error}"))?;
    Ok(DeviceTree::from_fdt(&tree))
}

fn node<'a>(tree: &'a mut DeviceTree, path: &str) -> Result<&'a mut DeviceTreeNode> {
    tree.find_node_mut(path).with_context(|| format!("the board's device tree has no {path}"))
}

fn set(node: &mut DeviceTreeNode, name: &str, value: impl ToPropertyValue) {
    node.add_property(DeviceTreeProperty::new_unchecked(name, value));
}

#[cfg(test)]
mod tests {
    use super::*;
    use dtoolkit::{Node, Property};

    /// Debian's tree in small.
    fn debian() -> Vec<u8> {
        let mut tree = DeviceTree::new();
        for (name, children) in
            [("chosen", &[][..]), ("memory@0", &[]), ("soc", &[RNG200]), ("cpus", &["cpu@0", "cpu@3"])]
        {
            let mut node = DeviceTreeNode::new_unchecked(name);
            children.iter().for_each(|child| node.add_child(DeviceTreeNode::new_unchecked(*child)));
            tree.root.add_child(node);
        }
        set(tree.find_node_mut("/chosen").unwrap(), "stdout-path", "serial1:115200n8");
        tree.to_dtb()
    }

    fn value(tree: &[u8], path: &str, name: &str) -> Option<Vec<u8>> {
        let tree = DeviceTree::from_fdt(&Fdt::new(tree).unwrap());
        tree.find_node(path)?.property(name).map(|property| property.value().to_vec())
    }

    fn has(tree: &[u8], path: &str) -> bool {
        DeviceTree::from_fdt(&Fdt::new(tree).unwrap()).find_node(path).is_some()
    }

    fn edited(defect: Option<Defect>) -> Vec<u8> {
        complete(&debian(), 0x3c00_0000, 0x820_0000..0x900_0000, defect).unwrap()
    }

    #[test]
    fn the_console_is_the_first_serial_port() {
        for tree in [console(&debian()).unwrap(), edited(None)] {
            assert_eq!(value(&tree, "/chosen", "stdout-path").unwrap(), b"serial0:115200n8\0");
        }
        assert!(has(&console(&debian()).unwrap(), "/soc/rng@7e104000"), "QEMU takes it out");
    }

    #[test]
    fn what_the_firmware_would_say_is_there() {
        let tree = edited(None);
        assert_eq!(value(&tree, "/memory@0", "reg").unwrap(), [0, 0, 0, 0, 0, 0, 0, 0, 0x3c, 0, 0, 0]);
        assert_eq!(value(&tree, "/chosen", "linux,initrd-end").unwrap(), 0x900_0000u64.to_be_bytes());
        assert!(!has(&tree, "/soc/rng@7e104000") && has(&tree, "/cpus/cpu@3"));
    }

    #[test]
    fn each_defect_is_one() {
        let size = |defect| value(&edited(Some(defect)), "/memory@0", "reg").unwrap()[8..].to_vec();
        assert_eq!((size(Defect::NoMemory), size(Defect::LittleMemory)), (vec![0; 4], vec![8, 0xff, 0xf0, 0]));
        assert!(has(&edited(Some(Defect::AbsentDevice)), "/soc/rng@7e104000"));
        assert!(!has(&edited(Some(Defect::FewerCores)), "/cpus/cpu@3"));
        assert_eq!(value(&edited(Some(Defect::AbsentCore)), "/cpus/cpu@3", "reg").unwrap(), [0, 0, 0, 7]);
    }

    #[test]
    fn another_tree_is_refused() {
        assert!(console(b"no tree").is_err());
        let error = complete(&DeviceTree::new().to_dtb(), 0, 0..1, None).unwrap_err().to_string();
        assert!(error.contains("/chosen"), "{error}");
    }
}
