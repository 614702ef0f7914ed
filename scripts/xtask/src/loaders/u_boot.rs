//! What U-Boot starts from: a FIT (U-Boot's documentation, "Flat Image Tree"; now the specification of that name), and an
//! `extlinux.conf` (U-Boot's documentation, "Generic Distro Configuration Concept").

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use dtoolkit::ToPropertyValue;
use dtoolkit::fdt::Fdt;
use dtoolkit::model::{DeviceTree, DeviceTreeNode, DeviceTreeProperty};

use crate::board::Board;
use crate::raspberry_pi::card;

/// Debian's package for QEMU's `virt`.
pub const PACKAGE: &str = "u-boot-qemu";
/// Where it has the program for a 64-bit machine.
pub const PROGRAM: &str = "usr/lib/u-boot/qemu_arm64/u-boot.bin";
/// Name of the hypervisor's image.
pub const IMAGE: &str = card::IMAGE;
/// Name of the bundle.
pub const BUNDLE: &str = card::BUNDLE;
/// Name of the FIT.
pub const FIT: &str = "portcullis.itb";
/// Name of a FIT with a wrong hash.
pub const WRONG: &str = "wrong.itb";
/// Name of the configuration, where U-Boot looks for it.
pub const CONFIGURATION: &str = "extlinux/extlinux.conf";

/// How far into RAM a FIT's image is put before it is started: behind wherever U-Boot has loaded the FIT itself.
const IMAGE_OFFSET: u64 = 256 << 20;

/// What a FIT holds.
#[derive(Debug)]
pub struct Contents {
    image: Vec<u8>,
    bundle: Vec<u8>,
    tree: Option<Vec<u8>>,
}

impl Contents {
    /// Reads the image, the bundle, and the board's device tree if U-Boot is not to hand over its own.
    ///
    /// # Errors
    ///
    /// One of them cannot be read, or `tree` is no device tree.
    pub fn read(image: &Path, bundle: &Path, tree: Option<&Path>) -> Result<Self> {
        let read = |file: &Path| fs::read(file).with_context(|| format!("{} cannot be read", file.display()));
        let tree = match tree {
            None => None,
            Some(file) => {
                let tree = read(file)?;
                let checked = Fdt::new(&tree).map(|_| ());
                ensure!(checked.is_ok(), "{} is no device tree (a .dtb file)", file.display());
                Some(tree)
            }
        };
        Ok(Self { image: read(image)?, bundle: read(bundle)?, tree })
    }
}

/// Writes the FIT, and the configuration by which U-Boot finds image and bundle on a disk, into `folder`. Returns the files
/// with their sizes in bytes.
///
/// # Errors
///
/// Those of [`fit`], or a file that cannot be written.
pub fn write(folder: &Path, contents: &Contents, board: Board) -> Result<[(PathBuf, usize); 2]> {
    let put = |name: &str, content: &[u8]| {
        let file = folder.join(name);
        let made = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&file, content));
        made.with_context(|| format!("{} cannot be written", file.display()))?;
        anyhow::Ok((file, content.len()))
    };
    Ok([put(FIT, &fit(contents, board)?)?, put(CONFIGURATION, extlinux().as_bytes())?])
}

/// The configuration, by which U-Boot starts image and bundle as files: not every version takes a RAM disk out of a FIT there.
/// Without a line for it the device tree is the one that U-Boot has from its own firmware, or its own.
pub fn extlinux() -> String {
    format!("default portcullis\nlabel portcullis\n  kernel /{IMAGE}\n  initrd /{BUNDLE}\n")
}

/// A FIT for `board`.
///
/// # Errors
///
/// The board's RAM begins above 4 GiB.
pub fn fit(contents: &Contents, board: Board) -> Result<Vec<u8>> {
    let ram = board.ram();
    let address = u32::try_from(ram.saturating_add(IMAGE_OFFSET)).context("the board's RAM begins above 4 GiB")?;
    let mut images = DeviceTreeNode::new_unchecked("images");
    let mut kernel = part("kernel", "Portcullis", "kernel", &contents.image);
    set(&mut kernel, "load", address);
    set(&mut kernel, "entry", address);
    images.add_child(kernel);
    images.add_child(part("ramdisk", "Portcullis' bundle", "ramdisk", &contents.bundle));
    if let Some(tree) = &contents.tree {
        images.add_child(part("fdt", "device tree", "flat_dt", tree));
    }

    let mut configuration = DeviceTreeNode::new_unchecked("portcullis");
    set(&mut configuration, "description", "Portcullis with its bundle");
    // A U-Boot that looks for the best match takes none that does not say what it is for, the default one neither.
    set(&mut configuration, "compatible", board.compatible());
    set(&mut configuration, "kernel", "kernel");
    set(&mut configuration, "ramdisk", "ramdisk");
    if contents.tree.is_some() {
        set(&mut configuration, "fdt", "fdt");
    }
    let mut configurations = DeviceTreeNode::new_unchecked("configurations");
    set(&mut configurations, "default", "portcullis");
    configurations.add_child(configuration);

    let mut tree = DeviceTree::new();
    set(&mut tree.root, "description", "Portcullis");
    // Mandatory. Equal contents make equal files.
    set(&mut tree.root, "timestamp", 0u32);
    set(&mut tree.root, "#address-cells", 1u32);
    tree.root.add_child(images);
    tree.root.add_child(configurations);
    Ok(tree.to_dtb())
}

/// One image with its hash.
fn part(name: &str, description: &str, kind: &str, data: &[u8]) -> DeviceTreeNode {
    let mut node = DeviceTreeNode::new_unchecked(name);
    set(&mut node, "description", description);
    set(&mut node, "data", data);
    set(&mut node, "type", kind);
    set(&mut node, "arch", "arm64");
    set(&mut node, "os", "linux");
    set(&mut node, "compression", "none");
    let mut hash = DeviceTreeNode::new_unchecked("hash-1");
    set(&mut hash, "algo", "crc32");
    set(&mut hash, "value", crc32fast::hash(data));
    node.add_child(hash);
    node
}

fn set(node: &mut DeviceTreeNode, name: &str, value: impl ToPropertyValue) {
    node.add_property(DeviceTreeProperty::new_unchecked(name, value));
}

/// Changes one bit of the bundle in a FIT.
///
/// # Errors
///
/// `fit` has no such bundle.
pub fn spoil(fit: &mut [u8], bundle: &Path) -> Result<()> {
    let bundle = fs::read(bundle)?;
    let at =
        fit.windows(bundle.len().max(1)).position(|found| found == bundle).context("the FIT has no such bundle")?;
    *fit.get_mut(at + bundle.len() / 2).context("an empty bundle")? ^= 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use dtoolkit::{Node, Property};

    use super::*;

    fn contents(tree: bool) -> Contents {
        let tree = tree.then(|| DeviceTree::new().to_dtb());
        Contents { image: vec![1; 5000], bundle: b"123456789".to_vec(), tree }
    }

    fn value(fit: &[u8], path: &str, name: &str) -> Option<Vec<u8>> {
        let tree = DeviceTree::from_fdt(&Fdt::new(fit).unwrap());
        tree.find_node(path)?.property(name).map(|property| property.value().to_vec())
    }

    #[test]
    fn what_goes_in_is_there_with_its_hash() {
        let blob = fit(&contents(false), Board::QemuVirt).unwrap();
        assert_eq!(value(&blob, "/images/kernel", "data"), Some(vec![1; 5000]));
        assert_eq!(value(&blob, "/images/kernel", "load"), Some(vec![0x50, 0, 0, 0]));
        assert_eq!(value(&blob, "/images/kernel", "entry"), Some(vec![0x50, 0, 0, 0]));
        assert_eq!(value(&blob, "/images/ramdisk", "data"), Some(b"123456789".to_vec()));
        // The check value of CRC-32.
        assert_eq!(value(&blob, "/images/ramdisk/hash-1", "value"), Some(vec![0xcb, 0xf4, 0x39, 0x26]));
        assert_eq!(value(&blob, "/images/ramdisk/hash-1", "algo"), Some(b"crc32\0".to_vec()));
        assert_eq!(value(&blob, "/configurations", "default"), Some(b"portcullis\0".to_vec()));
        assert_eq!(value(&blob, "/configurations/portcullis", "compatible"), Some(b"linux,dummy-virt\0".to_vec()));
        assert_eq!(value(&blob, "/configurations/portcullis", "fdt"), None);
        assert_eq!(value(&blob, "/images/fdt", "data"), None);
    }

    #[test]
    fn a_tree_is_one_image_more() {
        let blob = fit(&contents(true), Board::Rpi4).unwrap();
        assert_eq!(value(&blob, "/configurations/portcullis", "fdt"), Some(b"fdt\0".to_vec()));
        assert_eq!(value(&blob, "/images/fdt", "type"), Some(b"flat_dt\0".to_vec()));
        assert!(Fdt::new(&value(&blob, "/images/fdt", "data").unwrap()).is_ok());
        assert_eq!(value(&blob, "/images/kernel", "load"), Some(vec![0x10, 0, 0, 0]));
    }

    #[test]
    fn what_is_no_tree_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"not a tree").unwrap();
        let error = Contents::read(&file, &file, Some(&file)).unwrap_err().to_string();
        assert!(error.ends_with("file is no device tree (a .dtb file)"), "{error}");
        assert!(Contents::read(&file, &file, None).is_ok());
        assert!(Contents::read(&file, &folder.path().join("none"), None).is_err());
    }

    #[test]
    fn a_spoilt_one_differs_in_one_bit_of_the_bundle() {
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle");
        fs::write(&bundle, b"123456789").unwrap();
        let whole = fit(&contents(false), Board::Rpi4).unwrap();
        let mut spoilt = whole.clone();
        spoil(&mut spoilt, &bundle).unwrap();
        let bits: u32 = whole.iter().zip(&spoilt).map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!(bits, 1);
        assert_eq!(value(&spoilt, "/images/ramdisk", "data"), Some(b"123446789".to_vec()));
        fs::write(&bundle, b"another").unwrap();
        assert!(spoil(&mut spoilt, &bundle).is_err());
    }

    #[test]
    fn configurations_name_the_files() {
        let text = extlinux();
        assert_eq!(text, "default portcullis\nlabel portcullis\n  kernel /portcullis.img\n  initrd /bundle.img\n");
    }
}
