//! Where image and bundle lie in memory on a machine whose firmware expects them there.

use anyhow::{Context, Result, ensure};

/// Where TF-A expects the image: its platform's own choice. The first MiB of RAM, at 0x4000_0000, holds the device tree.
pub const IMAGE: u64 = 0x6000_0000;
/// The bundle starts on a block of EL2's and of stage 2's tables.
const BLOCK: u64 = 2 << 20;

/// Where a bundle of `bundle` bytes lies: behind the image, so that the memory on both sides stays in one piece.
///
/// # Errors
///
/// `image` is not an arm64 Image, or the RAM ends at `memory_end` and that is too early.
pub fn bundle(image: &[u8], bundle: u64, memory_end: u64) -> Result<u64> {
    let needed = memory_size(image).context("the hypervisor's image has no header of an arm64 Image")?;
    let address = IMAGE.checked_add(needed).and_then(|end| end.checked_next_multiple_of(BLOCK));
    let address = address.context("the hypervisor's image says that it needs all of memory")?;
    ensure!(
        address.checked_add(bundle).is_some_and(|end| end <= memory_end),
        "the bundle's {bundle} bytes do not fit between {address:#x}, where the image ends, and the end of RAM at {memory_end:#x}"
    );
    Ok(address)
}

/// What an image needs from its first byte on, with what is not in the file (Linux,
/// Documentation/arch/arm64/booting.rst, section 4).
fn memory_size(image: &[u8]) -> Option<u64> {
    (image.get(56..60)? == b"ARM\x64").then_some(())?;
    let size = u64::from_le_bytes(image.get(16..24)?.try_into().ok()?);
    Some(size.max(image.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u64 = 0xc000_0000;

    fn image(size: u64) -> Vec<u8> {
        let mut image = vec![0; 64];
        image[16..24].copy_from_slice(&size.to_le_bytes());
        image[56..60].copy_from_slice(b"ARM\x64");
        image
    }

    #[test]
    fn a_bundle_is_behind_what_the_image_needs() {
        assert_eq!(bundle(&image(0x8_0000), 1, END).unwrap(), 0x6020_0000);
        assert_eq!(bundle(&image(0x20_0000), 1, END).unwrap(), 0x6020_0000);
        assert_eq!(bundle(&image(0x20_0001), 1, END).unwrap(), 0x6040_0000);
        // A header that says too little.
        assert_eq!(bundle(&image(0), 1, END).unwrap(), 0x6020_0000);
    }

    #[test]
    fn a_bundle_ends_with_the_ram() {
        let most = END - 0x6020_0000;
        assert!(bundle(&image(1), most, END).is_ok());
        let error = bundle(&image(1), most + 1, END).unwrap_err().to_string();
        assert!(error.contains("do not fit between 0x60200000"), "{error}");
        assert!(bundle(&image(1), u64::MAX, END).is_err());
        assert!(bundle(&image(u64::MAX), 1, END).is_err());
        assert!(bundle(&[0; 64], 1, END).is_err());
    }
}
