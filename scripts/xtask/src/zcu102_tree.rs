//! Edits of Debian's device tree of a ZCU102, for tests of what a board's tree may say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::defect::Defect;

/// The serial ports, the console's first.
const SERIAL: [u32; 2] = [0xff00_0000, 0xff01_0000];
/// An address at which there is nothing: QEMU's machine answers for it by zeros.
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
