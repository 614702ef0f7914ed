//! What comes from Debian 13: the board's device tree, from its kernel package, and TF-A's binary for the board.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::apt::{Apt, Source, archive};
use crate::device_trees::DeviceTrees;
use crate::environment::Environment;

const SUITE: &str = "trixie";
/// The tree's name in the kernel's package.
const TREE: &str = "broadcom/bcm2711-rpi-4-b.dtb";
/// TF-A's binaries.
const FIRMWARE: &str = "arm-trusted-firmware";
/// The board's in it.
const BL31: &str = "usr/lib/arm-trusted-firmware/rpi4/bl31.bin";

/// Folder of everything here.
pub fn folder(environment: &Environment) -> PathBuf {
    environment.target().join("raspi4b")
}

/// The board's device tree.
///
/// # Errors
///
/// Those of [`DeviceTrees::of_debian`], or it has none.
pub fn device_tree(environment: &Environment) -> Result<PathBuf> {
    DeviceTrees::of_debian(environment)?.file(TREE)
}

/// TF-A for the board, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn bl31(environment: &Environment) -> Result<PathBuf> {
    let place = folder(environment).join("bl31.bin");
    if !place.exists() {
        let apt = apt(environment, "TF-A comes from")?;
        let fresh = apt.fetch_only(FIRMWARE, &format!("./{BL31}"))?;
        fs::rename(fresh.join(BL31), &place).with_context(|| format!("{FIRMWARE} has no {BL31}"))?;
        fs::remove_dir_all(fresh)?;
    }
    Ok(place)
}

fn apt(environment: &Environment, what: &str) -> Result<Apt> {
    let folder = folder(environment);
    fs::create_dir_all(&folder)?;
    let apt = Apt::new(environment, folder.join("apt"), &[Source::Packages(archive(environment, what)?, SUITE)])?;
    apt.update()?;
    Ok(apt)
}
