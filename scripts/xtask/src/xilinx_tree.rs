//! Edits of the device trees of Xilinx' boards, Debian's of a ZCU102 and QEMU's of a Versal, for tests of what a board's tree may
//! say.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::defect::Defect;
use crate::devices;

/// The serial ports of both boards, the console's first.
const SERIAL: [u32; 2] = [0xff00_0000, 0xff01_0000];
/// An address at which there is nothing: QEMU's ZCU102 answers for it by zeros.
const NOWHERE: u32 = 0xfa00_0000;

/// The tree in `file` with this defect, as a file in `folder`.
///
/// # Errors
///
/// The tree does not have what is to be wrong, or a file cannot be read or written.
pub fn make(file: &Path, folder: &Path, defect: Defect) -> Result<PathBuf> {
    let tree = fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let to = folder.join("defect.dtb");
    fs::write(&to, edit(tree, defect)?).with_context(|| format!("{} cannot be written", to.display()))?;
    Ok(to)
}

/// The same of the tree of the machine that `qemu` would start.
///
/// # Errors
///
/// QEMU makes no tree; and those of [`make`].
pub fn of_machine(qemu: Command, folder: &Path, defect: Defect) -> Result<PathBuf> {
    let tree = devices::dump(qemu, folder)?.context("QEMU made no device tree")?;
    let from = folder.join("machine.dtb");
    fs::write(&from, packed(tree)).with_context(|| format!("{} cannot be written", from.display()))?;
    make(&from, folder, defect)
}

/// The tree without what QEMU leaves free behind it, which doubles when QEMU reads it again (Devicetree Specification 0.4, section
/// 5.2: total size, and where structure and strings end).
fn packed(mut tree: Vec<u8>) -> Vec<u8> {
    let word = |at: usize| tree.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_be_bytes(*word));
    let end = word(8).saturating_add(word(36)).max(word(12).saturating_add(word(32)));
    tree.truncate(end as usize);
    if let Some(size) = tree.get_mut(4..).and_then(<[u8]>::first_chunk_mut) {
        *size = end.to_be_bytes();
    }
    tree
}

fn edit(mut tree: Vec<u8>, defect: Defect) -> Result<Vec<u8>> {
    if defect != Defect::AbsentSerial {
        bail!("{defect:?} is none of this machine's");
    }
    let [console, other] = SERIAL;
    // What is said of it comes out of the other one, which is where QEMU's first port is.
    for (from, to) in [(console, NOWHERE), (other, console)] {
        let reg = |address: u32| [0, address, 0, 0x1000].map(u32::to_be_bytes).concat();
        let (from, to) = (reg(from), reg(to));
        let places: Vec<usize> = (0..tree.len()).step_by(4).filter(|at| tree[*at..].starts_with(&from)).collect();
        ensure!(places.len() == 1, "the tree has a serial port {} times", places.len());
        tree[places[0]..places[0] + to.len()].copy_from_slice(&to);
    }
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_behind_a_tree_goes() {
        let mut writer = dtoolkit::model::DeviceTree::new();
        writer.root.add_child(dtoolkit::model::DeviceTreeNode::new_unchecked("a"));
        let whole = writer.to_dtb();
        let mut loose = whole.clone();
        loose.resize(whole.len() + 4096, 0);
        loose[4..8].copy_from_slice(&(whole.len() as u32 + 4096).to_be_bytes());
        assert_eq!(packed(loose), packed(whole.clone()));
        assert!(dtoolkit::fdt::Fdt::new(&packed(whole)).is_ok());
    }

    #[test]
    fn the_ports_move() {
        let cells = |addresses: [u32; 2]| {
            let reg = |address: u32| [7, 0, address, 0, 0x1000].map(u32::to_be_bytes).concat();
            addresses.map(reg).concat()
        };
        assert_eq!(edit(cells(SERIAL), Defect::AbsentSerial).unwrap(), cells([NOWHERE, SERIAL[0]]));
        assert!(edit(cells([1, 2]), Defect::AbsentSerial).is_err());
        assert!(edit(cells(SERIAL), Defect::Edge).is_err());
    }
}
