//! TF-A's source: the tarball of the original in Debian's source package.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::apt::{Apt, Source as Line, archive, only};
use crate::environment::Environment;

/// The source package, and the suite that it is taken from.
const PACKAGE: &str = "arm-trusted-firmware";
const SUITE: &str = "trixie";
/// The version that the recipe was made for.
const VERSION: &str = "2.12";

/// A tarball.
#[derive(Debug)]
pub struct Source {
    /// The file.
    pub tarball: PathBuf,
    /// What its name says: `2.12.1+dfsg`.
    pub version: String,
}

/// The tarball in `folder`, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or another version than the one that the recipe is for.
pub fn find(environment: &Environment, folder: &Path) -> Result<Source> {
    let place = folder.join("source");
    if !place.exists() {
        let address = archive(environment, "TF-A's source comes from")?;
        let lists = folder.join("apt");
        let apt = Apt::new(environment, lists.clone(), &[Line::Sources(address, SUITE)])?;
        apt.update()?;
        let tarball = apt.fetch_original(PACKAGE)?;
        let version = version(&tarball)?;
        ensure!(
            version.starts_with(&format!("{VERSION}.")) || version.starts_with(&format!("{VERSION}+")),
            "Debian {SUITE} has TF-A {version} now, and the recipe in scripts/xtask/src/firmware is for {VERSION}"
        );
        let fetched = tarball.parent().context("a tarball without a folder")?;
        fs::rename(fetched, &place).context("TF-A's source cannot be moved to its place")?;
        // Nothing else is ever asked of them.
        fs::remove_dir_all(lists)?;
    }
    let tarball = only(&place, PACKAGE)?;
    Ok(Source { version: version(&tarball)?, tarball })
}

/// The version in the name of a tarball.
fn version(tarball: &Path) -> Result<String> {
    let name = tarball.file_name().unwrap_or_default().to_string_lossy();
    let version = name.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix('_')?.strip_suffix(".orig.tar.xz"));
    Ok(version.with_context(|| format!("{name} is not called {PACKAGE}_VERSION.orig.tar.xz"))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_version() {
        let named = |name: &str| version(Path::new(name));
        assert_eq!(named("/a/arm-trusted-firmware_2.12.1+dfsg.orig.tar.xz").unwrap(), "2.12.1+dfsg");
        for name in ["arm-trusted-firmware_2.12.1+dfsg-1.dsc", "linux_6.1.orig.tar.xz", ""] {
            assert!(named(name).is_err(), "{name}");
        }
    }
}
