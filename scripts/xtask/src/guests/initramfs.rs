//! The initial RAM disk of the Debian guests: busybox, the init script of `guest-images/linux`, and the modules that
//! stand between the kernel and the firmware's services, or what the VM is linked with. That of a guest with tools has these
//! besides.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::debian::Kernel;
use super::manager::Programs;
use super::tools::Tools;
use crate::environment::Environment;
use crate::metal;

/// Builds the RAM disk for `kernel` next to it, with `tools` or without, and with the `programs` by which Linux manages the
/// machine. This takes milliseconds, so there is nothing to cache.
///
/// # Errors
///
/// A part cannot be read, or the archive cannot be written.
pub fn build(
    environment: &Environment,
    kernel: &Kernel,
    busybox: &Path,
    tools: Option<&Tools>,
    programs: Option<&Programs>,
) -> Result<PathBuf> {
    let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "lib", "proc", "sys"] {
        archive.folder(folder);
    }
    archive.file("init", true, &read(&environment.root.join("guest-images/linux/init"))?);
    for script in ["links-check", "controls-check", "controls-script", "travels-check"] {
        archive.file(&format!("bin/{script}"), true, &read(&environment.root.join("guest-images/linux").join(script))?);
    }
    archive.file("bin/busybox", true, &read(busybox)?);
    archive.link("bin/sh", "busybox");
    for program in ["clocks", "phc"] {
        archive.file(&format!("bin/{program}"), true, &read(&metal::program(environment, program))?);
    }
    for module in &kernel.modules {
        let name = module.file_name().and_then(|name| name.to_str()).context("a module without a name")?;
        archive.file(&format!("lib/{name}"), false, &read(module)?);
    }
    if let Some(tools) = tools {
        tools.add_to(&mut archive)?;
    }
    if let Some(Programs { manager, script }) = programs {
        archive.file("bin/portcullis", true, &read(manager)?);
        archive.file("bin/ops-by-port", true, &read(script)?);
    }
    let path = kernel.image.with_file_name(if tools.is_some() { "tools.cpio" } else { "initramfs.cpio" });
    fs::write(&path, archive.finish()).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
