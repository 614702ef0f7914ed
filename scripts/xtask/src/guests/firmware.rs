//! What known guests have in their flash.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use portcullis_abi::map::FLASH_BLOCK;

use super::boot_loaders::{self, Release};
use crate::environment::Environment;

/// Name of the known guest: EDK2 as Debian builds it for QEMU's `virt`.
pub const EDK2: &str = "edk2";
/// Debian's package.
const PACKAGE: &str = "qemu-efi-aarch64";
/// Where it has the program, without what fills it up to a bank of QEMU's.
const PROGRAM: &str = "usr/share/qemu-efi-aarch64/QEMU_EFI.fd";

/// EDK2, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn edk2(environment: &Environment) -> Result<PathBuf> {
    boot_loaders::program(environment, Release::Bookworm, PACKAGE, PROGRAM, "edk2.fd")
}

/// The program at `image`, filled up with zeros to whole blocks of flash.
///
/// # Errors
///
/// The file cannot be read, or the filled one cannot be written.
pub fn filled(environment: &Environment, name: &str, image: &Path) -> Result<PathBuf> {
    let mut bytes = fs::read(image).with_context(|| format!("{} cannot be read", image.display()))?;
    bytes.resize(bytes.len().next_multiple_of(usize::try_from(FLASH_BLOCK)?), 0);
    boot_loaders::made(environment, &format!("{name}.fd"), &bytes)
}
