//! The device tree of a machine with a firmware at EL3. QEMU leaves PSCI to that firmware, which should describe it;
//! here that is done beforehand.

use std::ops::Range;

use anyhow::{Context, Result, anyhow};
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};
use dtoolkit::{Node, Property, ToPropertyValue};
use portcullis_abi::function::{PSCI_CPU_ON, SMC64};

/// Adds to a machine's tree that the firmware has PSCI by SMC and starts the cores by it (Linux,
/// Documentation/devicetree/bindings/arm/psci.yaml), and where the bundle lies. All else stays, devices of the secure
/// world among it, which are marked `status = "disabled"`.
///
/// # Errors
///
/// `tree` is no flattened device tree, or one without `/cpus` and `/chosen`.
pub fn patch(tree: &[u8], bundle: Range<u64>) -> Result<Vec<u8>> {
    let tree = Fdt::new(tree).map_err(|error| anyhow!("{error}"))?;
    let mut tree = DeviceTree::from_fdt(&tree);

    let mut psci = DeviceTreeNode::new_unchecked("psci");
    set(&mut psci, "compatible", &["arm,psci-1.0", "arm,psci-0.2"][..]);
    set(&mut psci, "method", "smc");
    set(&mut psci, "cpu_on", PSCI_CPU_ON | SMC64);
    tree.root.add_child(psci);

    let cpus = tree.find_node_mut("/cpus").context("there is no node /cpus")?;
    for cpu in cpus.children_mut().filter(|node| is_cpu(node)) {
        set(cpu, "enable-method", "psci");
    }

    let chosen = tree.find_node_mut("/chosen").context("there is no node /chosen")?;
    set(chosen, "linux,initrd-start", bundle.start);
    set(chosen, "linux,initrd-end", bundle.end);
    Ok(tree.to_dtb())
}

fn set(node: &mut DeviceTreeNode, name: &str, value: impl ToPropertyValue) {
    node.add_property(DeviceTreeProperty::new_unchecked(name, value));
}

fn is_cpu(node: &DeviceTreeNode) -> bool {
    node.property("device_type").is_some_and(|kind| kind.value() == b"cpu\0")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What QEMU makes, in small.
    fn machine() -> DeviceTree {
        let mut tree = DeviceTree::new();
        let mut cpus = DeviceTreeNode::new_unchecked("cpus");
        cpus.add_child(DeviceTreeNode::new_unchecked("cpu-map"));
        for (name, method) in [("cpu@0", None), ("cpu@1", Some("spin-table"))] {
            let mut cpu = DeviceTreeNode::new_unchecked(name);
            set(&mut cpu, "device_type", "cpu");
            method.into_iter().for_each(|method| set(&mut cpu, "enable-method", method));
            cpus.add_child(cpu);
        }
        let mut chosen = DeviceTreeNode::new_unchecked("chosen");
        set(&mut chosen, "stdout-path", "/pl011@9000000");
        let mut secure = DeviceTreeNode::new_unchecked("pl011@9040000");
        set(&mut secure, "status", "disabled");
        set(&mut secure, "secure-status", "okay");
        [cpus, chosen, secure].into_iter().for_each(|node| tree.root.add_child(node));
        tree
    }

    #[test]
    fn what_the_firmware_should_say_is_added_and_all_else_stays() {
        let patched = patch(&machine().to_dtb(), 0x6400_0000..0x6400_1234).unwrap();
        let patched = DeviceTree::from_fdt(&Fdt::new(&patched).unwrap());
        let value = |node: &str, name: &str| {
            let node = patched.find_node(node).unwrap_or_else(|| panic!("no node {node}"));
            node.property(name).map(|property| property.value().to_vec())
        };
        assert_eq!(value("/psci", "compatible").unwrap(), b"arm,psci-1.0\0arm,psci-0.2\0");
        assert_eq!(value("/psci", "method").unwrap(), b"smc\0");
        assert_eq!(value("/psci", "cpu_on").unwrap(), 0xc400_0003u32.to_be_bytes());
        for cpu in ["/cpus/cpu@0", "/cpus/cpu@1"] {
            assert_eq!(value(cpu, "enable-method").unwrap(), b"psci\0");
        }
        assert_eq!(value("/cpus/cpu-map", "enable-method"), None);
        assert_eq!(value("/chosen", "linux,initrd-start").unwrap(), 0x6400_0000u64.to_be_bytes());
        assert_eq!(value("/chosen", "linux,initrd-end").unwrap(), 0x6400_1234u64.to_be_bytes());
        assert_eq!(value("/chosen", "stdout-path").unwrap(), b"/pl011@9000000\0");
        assert_eq!(value("/pl011@9040000", "status").unwrap(), b"disabled\0");
        assert_eq!(value("/pl011@9040000", "secure-status").unwrap(), b"okay\0");
    }

    #[test]
    fn other_things_are_refused() {
        assert!(patch(b"no tree", 0..1).is_err());
        assert!(patch(&DeviceTree::new().to_dtb(), 0..1).unwrap_err().to_string().contains("/cpus"));
    }
}
