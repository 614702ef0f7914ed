//! Arm Trusted Firmware-A for QEMU's `virt` machine, built from Debian's source when it is first asked for:
//! `docs/firmware.md`.

mod build;
mod flash;
pub mod place;
mod recipe;
mod source;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::board::Gic;
use crate::environment::Environment;
use recipe::Recipe;

/// Firmware that is built.
#[derive(Clone, Debug)]
pub struct Firmware {
    /// The content of the flash: BL1, and the package with BL2 and BL31.
    pub flash: PathBuf,
    /// BL31 with its symbols.
    pub bl31: PathBuf,
}

/// TF-A for a board with this interrupt controller: TF-A's driver is chosen when it is built.
///
/// # Errors
///
/// The source cannot be had, what it is built with is missing and cannot be installed, or the build.
pub fn tf_a(environment: &Environment, gic: Gic) -> Result<Firmware> {
    let folder = environment.target().join("firmware");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    // Two runs at the same time must not build in the same folder. Ends with this function.
    let lock = File::create(folder.join("lock"))?;
    lock.lock().context("target/firmware/lock cannot be locked")?;

    let glue = environment.root.join(recipe::GLUE);
    let text = fs::read_to_string(&glue).with_context(|| format!("{} cannot be read", glue.display()))?;
    let source = source::find(environment, &folder)?;
    let recipe = Recipe::new(gic, &source.version, &text);
    let place = folder.join(recipe.name());
    if fs::read_to_string(place.join(build::RECIPE)).ok() != Some(recipe.text()) {
        set_up(environment)?;
        build::build(&recipe, &source, &glue, &folder, &place).context("TF-A could not be built")?;
    }
    Ok(Firmware { flash: place.join(build::FLASH), bl31: place.join(build::BL31) })
}

/// Installs what TF-A is built with, if it is missing.
fn set_up(environment: &Environment) -> Result<()> {
    let mut setup = Command::new(environment.root.join("scripts/setup"));
    let status = setup.args(["--tf-a", "--quiet"]).status().context("scripts/setup could not be started")?;
    ensure!(status.success(), "what TF-A is built with is missing, and scripts/setup --tf-a has said why it stays so");
    Ok(())
}
