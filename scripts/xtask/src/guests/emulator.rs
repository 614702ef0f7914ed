//! QEMU of Debian 13 for arm64, which a Linux with KVM has its VMs by: the program, and the libraries that it needs.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::{debian, libraries, root};
use crate::environment::Environment;

/// The package.
const PACKAGE: &str = "qemu-system-arm";
/// What is taken of it.
const PROGRAM: &str = "usr/bin/qemu-system-aarch64";
/// Where libraries are looked for.
const LIBRARIES: &str = "lib/aarch64-linux-gnu";
/// What starts a program: itself one of the libraries, and looked for beside their folder.
const LOADER: &str = "ld-linux-aarch64.so.1";

/// The folder with the files, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the packages.
pub fn folder(environment: &Environment) -> Result<PathBuf> {
    let place = debian::folder(environment).join("emulator");
    if !place.exists() {
        let apt = debian::apt_trixie(environment)?;
        apt.update()?;
        let unpacked = apt.fetch_with_libraries(&[PACKAGE])?;
        let fresh = tempfile::tempdir_in(debian::folder(environment))?;
        let program = unpacked.join(PROGRAM);
        let files = libraries::below(&unpacked)?;
        for (name, from) in libraries::of(&files, std::slice::from_ref(&program))? {
            fs::copy(from, fresh.path().join(name))?;
        }
        let name = program.file_name().context("a program without a name")?;
        fs::copy(&program, fresh.path().join(name))
            .with_context(|| format!("the package {PACKAGE} has no {PROGRAM}"))?;
        fs::remove_dir_all(unpacked)?;
        fs::rename(fresh.keep(), &place).context("the unpacked QEMU cannot be moved to its place")?;
    }
    Ok(place)
}

/// Adds QEMU to `archive`, which has the folders `bin` and `lib`.
///
/// # Errors
///
/// As for [`folder`], or a file cannot be read.
pub fn add_to(environment: &Environment, archive: &mut Archive) -> Result<()> {
    let folder = folder(environment)?;
    archive.folder(LIBRARIES);
    root::add(&folder, LIBRARIES, archive)?;
    archive.link(&format!("lib/{LOADER}"), &format!("aarch64-linux-gnu/{LOADER}"));
    archive.link("bin/qemu-system-aarch64", &format!("/{LIBRARIES}/qemu-system-aarch64"));
    Ok(())
}
