//! The initial RAM disk of the Debian guests: busybox, the init script of `guest-images/linux`, and the modules that
//! stand between the kernel and the firmware's services, or what the VM is linked with. That of a guest with tools has these
//! besides, and another one's a Debian.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::debian::Kernel;
use super::manager::Programs;
use super::root;
use super::tools::Tools;
use crate::environment::Environment;
use crate::metal;

/// What a RAM disk has besides.
#[derive(Debug, Default)]
pub struct More {
    /// Programs of Debian's.
    pub tools: Option<Tools>,
    /// Those by which Linux manages the machine.
    pub programs: Option<Programs>,
    /// The folder of a Debian, and the package that is to be installed there, as a file.
    pub root: Option<(PathBuf, Vec<u8>)>,
}

/// Builds the RAM disk for `kernel` next to it, with `more`. This takes milliseconds, so there is nothing to cache.
///
/// # Errors
///
/// A part cannot be read, or the archive cannot be written.
pub fn build(environment: &Environment, kernel: &Kernel, busybox: &Path, more: &More) -> Result<PathBuf> {
    let More { tools, programs, root } = more;
    let read = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "lib", "proc", "sys"] {
        archive.folder(folder);
    }
    archive.file("init", true, &read(&environment.root.join("guest-images/linux/init"))?);
    for script in ["links-check", "controls-check", "controls-script", "package-check", "travels-check"] {
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
    if let Some((root, package)) = root {
        root::add(root, "", &mut archive)?;
        archive.file("portcullis.deb", false, package);
    }
    let name = match (tools, root) {
        (Some(_), _) => "tools.cpio",
        (None, Some(_)) => "root.cpio",
        (None, None) => "initramfs.cpio",
    };
    let path = kernel.image.with_file_name(name);
    fs::write(&path, archive.finish()).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(path)
}
