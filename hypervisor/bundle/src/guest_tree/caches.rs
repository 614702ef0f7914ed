//! The caches in a VM's device tree (Devicetree Specification 0.4, section 3.9). CLIDR_EL1 tells a kernel how many levels there
//! are, but not who shares them: without a node for each level behind the first, Linux from 6.1 on says "Unable to detect cache
//! hierarchy".
//!
//! The last level is shared, as in Arm's clusters: an L2 of a Cortex-A53 or A72, an L3 of a DynamIQ cluster. Those
//! between it and the first level belong to one core.

use portcullis_tree::Writer;

/// Most levels that CLIDR_EL1 can tell of.
pub const CACHE_LEVELS_MAX: u32 = 7;
/// Phandle of the last level. Those of a vCPU's own follow: 8 for each vCPU.
const PHANDLES: u32 = 0x100;

/// The number of levels that a CLIDR_EL1 tells of: those before the first without a cache (Arm ARM, D24.2.27, Ctype).
pub const fn levels(clidr: u64) -> u32 {
    let mut levels = 0;
    while levels < CACHE_LEVELS_MAX && clidr >> (3 * levels) & 7 != 0 {
        levels += 1;
    }
    levels
}

/// The phandle of a level behind the first, as vCPU `cpu` sees it.
const fn phandle(cpu: u32, level: u32, last: u32) -> u32 {
    if level == last { PHANDLES } else { PHANDLES + 8 * cpu + level }
}

/// Writes what a vCPU's node has for its caches: where the next level is, and the levels of its own.
pub fn of_cpu(tree: &mut Writer, cpu: u32, last: u32) {
    if last < 2 {
        return;
    }
    tree.cells("next-level-cache", &[phandle(cpu, 2, last)]);
    for level in 2..last {
        cache(tree, level, phandle(cpu, level, last), Some(phandle(cpu, level + 1, last)));
    }
}

/// Writes the node of the level that all vCPUs share.
pub fn shared(tree: &mut Writer, last: u32) {
    if last >= 2 {
        cache(tree, last, PHANDLES, None);
    }
}

fn cache(tree: &mut Writer, level: u32, phandle: u32, next: Option<u32>) {
    const NAMES: [&str; CACHE_LEVELS_MAX as usize] =
        ["l1-cache", "l2-cache", "l3-cache", "l4-cache", "l5-cache", "l6-cache", "l7-cache"];
    let Some(name) = level.checked_sub(1).and_then(|index| NAMES.get(index as usize)) else { return };
    tree.begin(name);
    tree.cells("phandle", &[phandle]);
    tree.string("compatible", "cache");
    tree.cells("cache-level", &[level]);
    tree.bytes("cache-unified", &[]);
    if let Some(next) = next {
        tree.cells("next-level-cache", &[next]);
    }
    tree.end();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use dtoolkit::fdt::{Fdt, FdtNode};
    use dtoolkit::{Node, Property};

    use super::*;

    /// The caches of so many CPUs with so many levels.
    fn tree(cpus: u32, last: u32) -> Vec<u8> {
        let mut tree = Writer::new(0);
        tree.begin("");
        for cpu in 0..cpus {
            tree.begin(&format!("cpu@{cpu}"));
            of_cpu(&mut tree, cpu, last);
            tree.end();
        }
        shared(&mut tree, last);
        tree.end();
        tree.finish()
    }

    fn cell(node: &FdtNode<'_>, name: &str) -> Option<u32> {
        node.property(name).map(|property| property.value_as::<u32>().unwrap())
    }

    /// The node with this phandle.
    fn find<'a>(node: FdtNode<'a>, phandle: u32) -> Option<FdtNode<'a>> {
        if cell(&node, "phandle") == Some(phandle) {
            return Some(node);
        }
        node.children().find_map(|child| find(child, phandle))
    }

    #[test]
    fn levels_end_with_the_first_that_has_no_cache() {
        assert_eq!([0, 0x3, 0x23, 0x123, 0x803].map(levels), [0, 1, 2, 3, 1]);
        assert_eq!(levels(0xa20_0023), 2, "Cortex-A72");
        assert_eq!(levels(u64::MAX), 7);
    }

    #[test]
    fn each_vcpu_reaches_every_level_and_all_share_the_last() {
        // The second reader looks for each node from the start of the tree.
        let sizes = [(1, 2), (2, 3), (8, 2), (4, 3), (8, 7)];
        for &(cpus, last) in sizes.iter().take(if cfg!(miri) { 2 } else { sizes.len() }) {
            let blob = tree(cpus, last);
            let fdt = Fdt::new(&blob).unwrap();
            let (mut own, mut ends) = (BTreeSet::new(), BTreeSet::new());
            for cpu in 0..cpus {
                let mut node = fdt.find_node(&format!("/cpu@{cpu}")).unwrap();
                for level in 2..=last {
                    let next = cell(&node, "next-level-cache").unwrap();
                    node = find(fdt.root(), next).unwrap();
                    assert_eq!(cell(&node, "cache-level"), Some(level));
                    assert!(node.property("cache-unified").is_some());
                    if level < last {
                        assert!(own.insert(next), "a level that two vCPUs have");
                    }
                }
                assert!(cell(&node, "next-level-cache").is_none());
                ends.insert(cell(&node, "phandle").unwrap());
            }
            assert!(ends.len() == 1 && own.is_disjoint(&ends));
        }
    }

    #[test]
    fn one_level_needs_no_node() {
        for last in [0, 1] {
            let blob = tree(1, last);
            let root = Fdt::new(&blob).unwrap();
            let cpu = root.find_node("/cpu@0").unwrap();
            assert!(cpu.property("next-level-cache").is_none() && root.root().children().count() == 1);
        }
    }
}
