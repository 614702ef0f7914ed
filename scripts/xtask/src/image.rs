//! `scripts/image`: writes the files that a board boots from.

use std::fs;

use anyhow::{Context, Result};

use crate::board::Hardware;
use crate::environment::Environment;
use crate::options::Image;
use crate::run::System;

/// Cores of a board that nobody has counted: every board planned for has four.
const CORES: u32 = 4;

/// Runs the command.
///
/// # Errors
///
/// The build, the manifest, or a file that cannot be written.
pub fn image(options: &Image) -> Result<()> {
    let environment = Environment::load()?;
    let hardware = Hardware::new(options.board, CORES);
    // What is at EL3 there is not known here; the hypervisor asks at boot.
    let system = System::build_for(&environment, hardware, true, &options.manifest, false, "bundle.dtb")?;
    fs::create_dir_all(&options.out).with_context(|| format!("{} cannot be made", options.out.display()))?;
    for (from, name) in [(&system.image, "portcullis.img"), (&system.bundle, "bundle.dtb")] {
        let to = options.out.join(name);
        let size = fs::copy(from, &to).with_context(|| format!("{} cannot be written", to.display()))?;
        println!("{} ({size} bytes)", to.display());
    }
    Ok(())
}
