//! `scripts/image`: writes the files that a board boots from.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::board::{Board, Hardware};
use crate::environment::Environment;
use crate::loaders::u_boot;
use crate::options::{Image, UBoot};
use crate::raspberry_pi::card;
use crate::run::System;
use crate::{cpu, ram};
use system::Board as Limits;

/// Runs the command.
///
/// # Errors
///
/// The build, the manifest, or a file that cannot be written.
pub fn image(options: &Image) -> Result<()> {
    let environment = Environment::load()?;
    let hardware = Hardware::new(options.board, options.board.cores());
    // What is at EL3 there is not known here; the hypervisor asks at boot.
    let limits = Limits {
        name: options.board.name().to_owned(),
        cores: hardware.cores,
        memory: options.board.memory(),
        forwards: true,
        time: options.board.knows_time(),
        cpu: cpu::known(options.board, None),
        ram: ram::of(options.board, hardware.el3),
        devices: Vec::new(),
    };
    let mut system = System::build_for(&environment, hardware, &limits, &options.manifest, false, "bundle.img")?;
    if let Some(port) = &options.early_console {
        system.name_early_console(port)?;
    }
    fs::create_dir_all(&options.out).with_context(|| format!("{} cannot be made", options.out.display()))?;
    for (from, name) in [(&system.image, card::IMAGE), (&system.bundle, card::BUNDLE)] {
        let to = options.out.join(name);
        let size = fs::copy(from, &to).with_context(|| format!("{} cannot be written", to.display()))?;
        println!("{} ({size} bytes)", to.display());
    }
    if let Some(u_boot) = &options.u_boot {
        write_for_u_boot(options, &system, u_boot)?;
    }
    if options.board == Board::Rpi4 {
        write(&options.out, card::CONFIGURATION, card::configuration().as_bytes())?;
        println!("all three go to the card's boot partition; docs/rpi4.md has the steps, and TF-A's place in them");
    }
    if options.board == Board::Rpi5 {
        write(&options.out, card::CONFIGURATION, card::configuration_of_pi_5().as_bytes())?;
        println!("all three go to the card's boot partition; docs/rpi5.md has the steps");
    }
    Ok(())
}

/// Writes the FIT, and a configuration by which U-Boot finds it on a disk.
fn write_for_u_boot(options: &Image, system: &System, u_boot: &UBoot) -> Result<()> {
    let contents = u_boot::Contents::read(&system.image, &system.bundle, u_boot.tree.as_deref())?;
    for (file, size) in u_boot::write(&options.out, &contents, options.board)? {
        println!("{} ({size} bytes)", file.display());
    }
    Ok(())
}

fn write(folder: &Path, name: &str, content: &[u8]) -> Result<()> {
    let to = folder.join(name);
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    fs::write(&to, content).with_context(|| format!("{} cannot be written", to.display()))?;
    println!("{} ({} bytes)", to.display(), content.len());
    Ok(())
}
