//! The content of the flash that the emulated machine starts from.

use anyhow::{Result, ensure};

/// Where BL1 looks for the package with everything else: `PLAT_QEMU_FIP_BASE` of TF-A's `virt` platform.
const PACKAGE: usize = 0x4_0000;

/// BL1 at the start, the firmware image package behind it.
///
/// # Errors
///
/// BL1 reaches into the package.
pub fn join(bl1: &[u8], package: &[u8]) -> Result<Vec<u8>> {
    ensure!(bl1.len() <= PACKAGE, "BL1 is {} bytes, and the package starts at {PACKAGE}", bl1.len());
    let mut content = bl1.to_vec();
    content.resize(PACKAGE, 0);
    content.extend_from_slice(package);
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_has_its_place() {
        let content = join(&[1, 2], &[3]).unwrap();
        assert_eq!((content.len(), &content[..3]), (PACKAGE + 1, &[1, 2, 0][..]));
        assert_eq!(content.last(), Some(&3));
        assert_eq!(join(&vec![1; PACKAGE], &[3]).unwrap().len(), PACKAGE + 1);
        assert!(join(&vec![1; PACKAGE + 1], &[3]).is_err());
    }
}
