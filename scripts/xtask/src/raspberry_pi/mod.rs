//! QEMU's `raspi4b`: the device tree, with and without TF-A as the stub that all cores start in.
//!
//! Without it QEMU loads image and bundle, edits the device tree, and has a stub of its own that knows spin tables. With it
//! QEMU knows of nothing: everything is loaded to its place, and the tree is ours to edit.

pub mod card;
mod packages;
mod stub;
pub mod tree;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::defect::Defect;
use crate::el3::{El3, option};
use crate::environment::Environment;

/// Bytes of RAM that the device tree tells of in QEMU; the rest of 2 GiB is there, but the firmware would keep some of it.
pub const QEMU_MEMORY: u64 = 0x3c00_0000;
/// Bytes of RAM below the firmware's part of the first GiB on a board with the firmware's default split.
pub const BOARD_MEMORY: u64 = 0x3b40_0000;
/// Bytes of RAM at 0 that the tree of a Raspberry Pi 5 tells of before firmware adds the rest.
pub const PI_5_MEMORY: u64 = 0x2800_0000;

/// Where TF-A and the firmware enter the image.
pub const IMAGE: u64 = 0x8_0000;
/// Where the device tree lies under TF-A, which makes it up to a MiB long.
pub const TREE: u64 = 0x800_0000;
/// Where the bundle lies under TF-A.
pub const BUNDLE: u64 = 0x820_0000;

/// The files that the machine needs beside image and bundle.
#[derive(Clone, Debug)]
pub struct Files {
    /// The device tree; none for a machine that starts without one.
    tree: Option<PathBuf>,
    /// TF-A, patched as the firmware of the board does it.
    stub: Option<PathBuf>,
}

impl Files {
    /// Makes them in `target/raspi4b`. What is Debian's is downloaded when this is asked for the first time.
    ///
    /// # Errors
    ///
    /// The firmware is one that this board does not have, the download, or what was downloaded is not as expected.
    pub fn make(environment: &Environment, el3: El3, bundle: &Path, defect: Option<Defect>) -> Result<Self> {
        let folder = packages::folder(environment);
        fs::create_dir_all(&folder)?;
        let debian = fs::read(packages::device_tree(environment)?)?;
        let with_tf_a = match el3 {
            El3::None => false,
            El3::TfA => true,
            El3::Test(_) => anyhow::bail!("the firmware for tests is made for qemu-virt"),
        };
        let bundle = fs::metadata(bundle).with_context(|| format!("{}", bundle.display()))?.len();
        ensure!(
            BUNDLE + bundle <= QEMU_MEMORY,
            "the bundle's {bundle} bytes do not fit between {BUNDLE:#x} and the end of RAM at {QEMU_MEMORY:#x}"
        );
        let tree = if with_tf_a {
            tree::complete(&debian, QEMU_MEMORY, BUNDLE..BUNDLE + bundle, defect)?
        } else {
            tree::console(&debian)?
        };
        let write = |name: &str, content: Vec<u8>| {
            let file = folder.join(name);
            fs::write(&file, content).with_context(|| format!("{} cannot be written", file.display()))?;
            anyhow::Ok(file)
        };
        let stub = if with_tf_a {
            let bl31 = fs::read(packages::bl31(environment)?)?;
            Some(write("stub.bin", stub::patch(bl31, TREE as u32, IMAGE as u32)?)?)
        } else {
            None
        };
        let tree = if defect == Some(Defect::NoTree) { None } else { Some(write("tree.dtb", tree)?) };
        Ok(Self { tree, stub })
    }

    /// QEMU's arguments for the machine with these files.
    pub fn qemu_arguments(&self, image: &Path, bundle: &Path) -> Vec<String> {
        let load = |file: &Path, address: u64| format!("loader,file={},addr={address:#x},force-raw=on", option(file));
        // It cannot be switched off, only reset: with that QEMU ends.
        let mut arguments: Vec<String> = vec!["-no-reboot".into()];
        let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
        match &self.stub {
            None => {
                add("-kernel", image.display().to_string());
                add("-initrd", bundle.display().to_string());
                if let Some(tree) = &self.tree {
                    add("-dtb", tree.display().to_string());
                }
            }
            Some(stub) => {
                let files = [(stub.as_path(), 0), (image, IMAGE), (bundle, BUNDLE)];
                let tree = self.tree.as_deref().map(|tree| (tree, TREE));
                files.into_iter().chain(tree).for_each(|(file, address)| add("-device", load(file, address)));
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(tree: Option<&str>, stub: Option<&str>) -> String {
        let files = Files { tree: tree.map(PathBuf::from), stub: stub.map(PathBuf::from) };
        files.qemu_arguments(Path::new("i,1"), Path::new("b")).join(" ")
    }

    #[test]
    fn qemu_or_the_stub_starts_the_image() {
        assert_eq!(arguments(Some("t"), None), "-no-reboot -kernel i,1 -initrd b -dtb t");
        assert_eq!(arguments(None, None), "-no-reboot -kernel i,1 -initrd b");
        let line = arguments(Some("t"), Some("s"));
        assert!(line.contains("-device loader,file=s,addr=0x0,force-raw=on"), "{line}");
        assert!(line.contains("-device loader,file=i,,1,addr=0x80000,force-raw=on"), "{line}");
        assert!(line.contains("-device loader,file=b,addr=0x8200000,force-raw=on"), "{line}");
        assert!(
            line.contains("-device loader,file=t,addr=0x8000000,force-raw=on") && !line.contains("-kernel"),
            "{line}"
        );
    }
}
