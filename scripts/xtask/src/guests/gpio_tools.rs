//! Debian 13's tools of GPIO lines, for guests whose kernel has no interface any more for those of Debian 12's: libgpiod 2 beside
//! the other programs' Debian 12.
//!
//! They need newer libraries than those have, the C library among them, and so have a folder of their own with all of these.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::{debian, libraries};
use crate::apt::{Apt, Source, archive};
use crate::environment::Environment;

/// The package.
const PACKAGE: &str = "gpiod";
/// Its programs.
pub const PROGRAMS: [&str; 5] = ["gpiodetect", "gpioget", "gpioinfo", "gpiomon", "gpioset"];
/// Where the package's suite comes from.
const SUITE: &str = "trixie";
/// Where the RAM disk has them.
const FOLDER: &str = "usr/lib/gpiod-2";
/// What starts them.
const LOADER: &str = "ld-linux-aarch64.so.1";

/// The files, downloaded when this is asked for the first time: a folder.
///
/// # Errors
///
/// apt, its hashes, or the content of the packages.
pub fn files(environment: &Environment) -> Result<PathBuf> {
    let place = debian::folder(environment).join("gpiod-2");
    if !place.exists() {
        fs::create_dir_all(debian::folder(environment))?;
        let fresh = tempfile::tempdir_in(debian::folder(environment))?;
        unpack(environment, fresh.path())?;
        fs::set_permissions(fresh.path(), fs::Permissions::from_mode(0o755))?;
        fs::rename(fresh.keep(), &place).context("the unpacked tools cannot be moved to their place")?;
    }
    Ok(place)
}

fn unpack(environment: &Environment, place: &Path) -> Result<()> {
    let sources = [Source::Packages(archive(environment, "the guests' tools come from")?, SUITE)];
    let apt = Apt::new(environment, debian::folder(environment).join("apt-trixie"), &sources)?;
    apt.update()?;
    let root = apt.fetch_with_libraries(&[PACKAGE])?;
    let known = libraries::below(&root)?;
    let mut missing = BTreeSet::from([LOADER.to_owned()]);
    for name in PROGRAMS {
        let from = root.join("usr/bin").join(name);
        fs::copy(&from, place.join(name)).with_context(|| format!("the package {PACKAGE} has no {name}"))?;
        missing.extend(libraries::needed(&from)?);
    }
    let mut taken = BTreeSet::new();
    while let Some(name) = missing.pop_first() {
        if taken.insert(name.clone()) {
            let from = known.get(&name).with_context(|| format!("no package of {PACKAGE}'s has {name}"))?;
            fs::copy(from, place.join(&name))?;
            missing.extend(libraries::needed(from)?);
        }
    }
    Ok(fs::remove_dir_all(root)?)
}

/// Adds the tools of `folder` to `archive`, under their names in `bin`, in place of those of Debian 12's.
///
/// # Errors
///
/// A file cannot be read.
pub fn add_to(folder: &Path, archive: &mut Archive) -> Result<()> {
    // Behind the other tools' folders, of which this is one more.
    archive.folder(FOLDER);
    let mut files: Vec<_> = fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    files.sort();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).context("a file without a name")?;
        archive.file(&format!("{FOLDER}/{name}"), true, &fs::read(&path)?);
    }
    for name in PROGRAMS {
        archive.file(&format!("bin/{name}"), true, call(name).as_bytes());
    }
    Ok(())
}

/// What calls a tool with its own libraries.
fn call(name: &str) -> String {
    format!("#!/bin/sh\nexec /{FOLDER}/{LOADER} --library-path /{FOLDER} /{FOLDER}/{name} \"$@\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_called_with_its_own_libraries() {
        let whole =
            "/usr/lib/gpiod-2/ld-linux-aarch64.so.1 --library-path /usr/lib/gpiod-2 /usr/lib/gpiod-2/gpiomon \"$@\"";
        assert_eq!(call("gpiomon"), format!("#!/bin/sh\nexec {whole}\n"));
    }
}
