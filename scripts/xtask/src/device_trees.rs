//! Device trees of real boards: those that Debian's kernel for arm64 boards comes with.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::apt::{Apt, Source, archive, only};
use crate::environment::Environment;

const SUITE: &str = "trixie";
/// The metapackage of the kernel for boards.
const KERNEL: &str = "linux-image-arm64";
/// The file that says which package the trees are of.
const PACKAGE: &str = "package";

/// The trees of one kernel package, in a folder for each vendor.
#[derive(Clone, Debug)]
pub struct DeviceTrees {
    /// The package.
    pub package: String,
    /// Where they are.
    pub folder: PathBuf,
}

impl DeviceTrees {
    /// All of them, downloaded with their kernel, 90 MB, when this is asked for the first time. They are kept in
    /// `target/device-trees`.
    ///
    /// # Errors
    ///
    /// apt, its hashes, or the content of the package.
    pub fn of_debian(environment: &Environment) -> Result<Self> {
        let folder = environment.target().join("device-trees");
        let place = folder.join("trees");
        if !place.exists() {
            fs::create_dir_all(&folder)?;
            let address = archive(environment, "the boards' device trees come from")?;
            let apt = Apt::new(environment, folder.join("apt"), &[Source::Packages(address, SUITE)])?;
            apt.update()?;
            let package = apt.dependency(KERNEL, SUITE, "linux-image-")?;
            let package = package.with_context(|| format!("{KERNEL} in {SUITE} depends on no linux-image-*"))?;
            let fresh = apt.fetch_only(&package, "./usr/lib/linux-image-*/*.dtb")?;
            fs::write(folder.join(PACKAGE), &package)?;
            fs::rename(only(&fresh.join("usr/lib"), "linux-image-")?, &place)
                .with_context(|| format!("{package} has no device trees"))?;
            fs::remove_dir_all(fresh)?;
        }
        let package =
            fs::read_to_string(folder.join(PACKAGE)).context("nothing says which package the trees are of")?;
        Ok(Self { package, folder: place })
    }

    /// The tree with this name, its vendor's folder included.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let file = self.folder.join(name);
        anyhow::ensure!(file.exists(), "{} has no {name}", self.package);
        Ok(file)
    }
}
