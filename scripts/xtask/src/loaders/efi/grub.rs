//! GRUB as Debian builds it, whole in one file, with the module for Xen's commands beside it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use dtoolkit::Node;
use dtoolkit::fdt::Fdt;
use dtoolkit::model::DeviceTree;

use super::super::disk::Disk;
use super::super::spoiled::CUT;
use super::super::u_boot;
use super::super::way::Grub;
use crate::environment::Environment;
use crate::guests::boot_loaders::{self, GRUB_MODULES, Release};

/// The module that the program lacks.
const XEN: &str = "usr/lib/grub/arm64-efi/xen_boot.mod";
/// What GRUB says when what it has started has ended.
pub const BACK: &str = "GRUB goes on";
/// The device tree on the disk.
const TREE: &str = "machine.dtb";

/// Puts GRUB on a disk that has image and bundle.
///
/// # Errors
///
/// The download, a tree that is missing or none, or a file that cannot be written.
pub fn fill(
    disk: &mut Disk,
    environment: &Environment,
    release: Release,
    grub: Grub,
    tree: Option<&Path>,
) -> Result<()> {
    disk.copy(&boot_loaders::grub(environment, release)?, super::PROGRAM)?;
    disk.write("boot/grub/grub.cfg", configuration(grub).as_bytes())?;
    match grub {
        Grub::Linux => Ok(()),
        Grub::Xen => {
            let name = match release {
                Release::Bookworm => "xen_boot.mod",
                Release::Trixie => "xen_boot-trixie.mod",
            };
            let module = boot_loaders::program(environment, release, GRUB_MODULES, XEN, name)?;
            disk.copy(&module, "boot/grub/arm64-efi/xen_boot.mod")
        }
        Grub::NoMemory => disk.write(TREE, &without_memory(&fs::read(tree.context("there is no device tree")?)?)?),
    }
}

/// The configuration.
fn configuration(grub: Grub) -> String {
    let (image, bundle) = (u_boot::IMAGE, u_boot::BUNDLE);
    let commands = match grub {
        Grub::Linux => format!("linux /{image}\ninitrd /{bundle}\n"),
        // Without a word behind its file GRUB 2.12's command reads at address 0.
        Grub::Xen => format!("insmod xen_boot\nxen_hypervisor /{image} portcullis\nxen_module /{bundle} bundle\n"),
        Grub::NoMemory => {
            let start = |bundle: &str| format!("linux /{image}\ninitrd /{bundle}\n");
            format!("{}boot\ndevicetree /{TREE}\n{}", start(CUT.0), start(bundle))
        }
    };
    format!("{commands}boot\necho {BACK}\n")
}

/// The machine's tree without its memory.
fn without_memory(tree: &[u8]) -> Result<Vec<u8>> {
    let tree = Fdt::new(tree).map_err(|error| anyhow!("the machine's device tree: {error}"))?;
    let mut tree = DeviceTree::from_fdt(&tree);
    let memory = tree.root.children().map(|node| node.name().to_owned()).find(|name| name.starts_with("memory@"));
    tree.root.remove_child(&memory.context("the machine's device tree has no memory")?);
    Ok(tree.to_dtb())
}

#[cfg(test)]
mod tests {
    use dtoolkit::model::DeviceTreeNode;

    use super::*;

    #[test]
    fn configurations_name_the_files() {
        assert_eq!(configuration(Grub::Linux), "linux /portcullis.img\ninitrd /bundle.img\nboot\necho GRUB goes on\n");
        assert!(
            configuration(Grub::Xen)
                .contains("xen_hypervisor /portcullis.img portcullis\nxen_module /bundle.img bundle\n")
        );
        assert!(
            configuration(Grub::NoMemory)
                .starts_with("linux /portcullis.img\ninitrd /cut.img\nboot\ndevicetree /machine.dtb\nlinux ")
        );
    }

    #[test]
    fn memory_is_taken_out_of_a_tree() {
        let mut tree = DeviceTree::new();
        assert!(without_memory(&tree.to_dtb()).is_err());
        tree.root.add_child(DeviceTreeNode::new_unchecked("memory@40000000"));
        tree.root.add_child(DeviceTreeNode::new_unchecked("cpus"));
        let without = without_memory(&tree.to_dtb()).unwrap();
        let without = DeviceTree::from_fdt(&Fdt::new(&without).unwrap());
        assert_eq!(without.root.children().map(|node| node.name().to_owned()).collect::<Vec<_>>(), ["cpus"]);
        assert!(without_memory(b"none").is_err());
    }
}
