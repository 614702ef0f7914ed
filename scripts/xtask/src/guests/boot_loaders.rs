//! Boot loaders as Debian packs them, and files made of them, in a folder of their own: not that of the Debian guests, whose RAM
//! disks tell by themselves what their firmware offers.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::debian;
use crate::environment::Environment;

/// The release of Debian that a boot loader is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// Debian 12.
    Bookworm,
    /// Debian 13.
    Trixie,
}

/// The file `program` of Debian's package `package`, under the name `name`, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn program(
    environment: &Environment,
    release: Release,
    package: &str,
    program: &str,
    name: &str,
) -> Result<PathBuf> {
    let place = folder(environment)?.join(name);
    if !place.exists() {
        let apt = match release {
            Release::Bookworm => debian::apt(environment)?,
            Release::Trixie => debian::apt_trixie(environment)?,
        };
        apt.update()?;
        let fresh = apt.fetch(package)?;
        fs::rename(fresh.join(program), &place).with_context(|| format!("the package {package} has no {program}"))?;
        fs::remove_dir_all(fresh)?;
    }
    Ok(place)
}

/// Debian 12's package of GRUB's modules.
pub const GRUB_MODULES: &str = "grub-efi-arm64-bin";
/// The program that has all of them, and looks for its configuration in /boot/grub of the disk that it comes from.
const GRUB: &str = "usr/lib/grub/arm64-efi/monolithic/gcdaa64.efi";

/// GRUB, whole in one file, downloaded when this is asked for the first time.
///
/// # Errors
///
/// As of [`program`].
pub fn grub(environment: &Environment, release: Release) -> Result<PathBuf> {
    let (package, name) = match release {
        Release::Bookworm => (GRUB_MODULES, "grub.efi"),
        Release::Trixie => ("grub-efi-arm64-unsigned", "grub-trixie.efi"),
    };
    program(environment, release, package, GRUB, name)
}

/// A file of this content, under the name `name`, written if it is not there as it should be.
///
/// # Errors
///
/// It cannot be written.
pub fn made(environment: &Environment, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let place = folder(environment)?.join(name);
    if fs::read(&place).ok().as_deref() != Some(bytes) {
        fs::write(&place, bytes).with_context(|| format!("{} cannot be written", place.display()))?;
    }
    Ok(place)
}

fn folder(environment: &Environment) -> Result<PathBuf> {
    let folder = environment.target().join("boot-loaders");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}
