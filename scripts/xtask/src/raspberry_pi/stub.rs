//! The stub at address 0 in which all cores start (`armstub8.S` of Raspberry Pi's tools; TF-A, `plat/rpi`).

use anyhow::{Result, ensure};

/// Where the firmware's magic number is in it; behind it a version, then the device tree's and the image's addresses.
const MAGIC_AT: usize = 0xf0;
const MAGIC: u32 = 0x5afe_570b;
/// Where the image lies, and so the stub ends.
const END: usize = 0x8_0000;

/// Tells the stub where device tree and image are, as the board's firmware does: the magic number is cleared.
///
/// # Errors
///
/// It is no stub, or reaches into the image.
pub fn patch(mut stub: Vec<u8>, tree: u32, image: u32) -> Result<Vec<u8>> {
    ensure!(stub.len() <= END, "TF-A is {} bytes, and the image starts at {END:#x}", stub.len());
    let words = stub.get_mut(MAGIC_AT..MAGIC_AT + 16);
    let words = words.filter(|words| words.starts_with(&MAGIC.to_le_bytes()));
    ensure!(words.is_some(), "TF-A has no {MAGIC:#x} at {MAGIC_AT:#x}, by which a stub takes addresses");
    if let Some(words) = words {
        let values = [0, 0, tree, image].into_iter().flat_map(u32::to_le_bytes);
        words.iter_mut().zip(values).for_each(|(byte, value)| *byte = value);
    }
    Ok(stub)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_take_the_place_of_the_magic_number() {
        let mut stub = vec![0xff; 0x200];
        assert!(patch(stub.clone(), 1, 2).is_err());
        stub[MAGIC_AT..MAGIC_AT + 4].copy_from_slice(&MAGIC.to_le_bytes());
        let patched = patch(stub.clone(), 0x800_0000, 0x8_0000).unwrap();
        assert_eq!(patched[0xf0..0x100], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 8, 0]);
        assert_eq!((&patched[..0xf0], &patched[0x100..]), (&stub[..0xf0], &stub[0x100..]));
        stub.resize(END + 1, 0);
        assert!(patch(stub, 1, 2).unwrap_err().to_string().contains("the image starts at 0x80000"));
        assert!(patch(vec![0; 0xf8], 1, 2).is_err());
    }
}
