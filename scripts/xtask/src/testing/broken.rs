//! An image with an instruction that does not exist, for a test of what EL2 says of a fault of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use object::read::elf::ElfFile64;
use object::{LittleEndian, Object, ObjectSymbol};

use crate::environment::Environment;
use crate::metal;

/// UDF #0 (Arm ARM, C6.2.430): never defined.
const UNDEFINED: u32 = 0;

/// A copy of an image of the hypervisor's, beside it, with UDF behind the first instruction of this symbol. It is linked at 0, so
/// an address is a place in the image.
///
/// # Errors
///
/// There is no such symbol, or a file cannot be read or written.
pub fn behind(environment: &Environment, image: &Path, symbol: &str) -> Result<PathBuf> {
    let elf = fs::read(metal::program(environment, metal::HYPERVISOR))?;
    let file = ElfFile64::<LittleEndian>::parse(elf.as_slice()).context("the hypervisor's program")?;
    let address = file.symbol_by_name(symbol).with_context(|| format!("there is no symbol '{symbol}'"))?.address();
    let mut broken = fs::read(image)?;
    let place =
        broken.get_mut(address as usize + 4..address as usize + 8).context("the symbol is outside the image")?;
    place.copy_from_slice(&UNDEFINED.to_le_bytes());
    let copy = image.with_extension("broken.img");
    fs::write(&copy, broken).with_context(|| format!("{} cannot be written", copy.display()))?;
    Ok(copy)
}
