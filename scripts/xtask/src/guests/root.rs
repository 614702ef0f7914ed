//! A Debian 12 in a RAM disk, as far as a package of programs speaks to it: dpkg, accounts, udev, systemd's tools, and what reads
//! manual pages and completions. No script of these packages has run; the guest makes accounts and the database itself.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::debian;
use crate::environment::Environment;

/// The packages that are named; the libraries that they depend on come with them. What else a shell calls is busybox.
const PACKAGES: [&str; 10] =
    ["base-passwd", "bash", "dpkg", "groff-base", "libc-bin", "passwd", "systemd", "tar", "udev", "util-linux"];
/// What nobody reads there: folders that are left out.
const LEFT_OUT: [&str; 9] = [
    "lib/systemd/catalog",
    "lib/udev/hwdb.d",
    "usr/lib/systemd/catalog",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/zoneinfo",
];
/// The finished files are those of this list of packages.
const WANTED: &str = "wanted";

/// The folder with the files, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the packages.
pub fn root(environment: &Environment) -> Result<PathBuf> {
    let place = debian::folder(environment).join("root");
    let wanted = format!("{PACKAGES:?} {LEFT_OUT:?}");
    let (stamp, files) = (place.join(WANTED), place.join("files"));
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) {
        let apt = debian::apt(environment)?;
        apt.update()?;
        let fresh = apt.fetch_with_libraries(&PACKAGES)?;
        for folder in LEFT_OUT.map(|folder| fresh.join(folder)).iter().filter(|folder| folder.exists()) {
            fs::remove_dir_all(folder)?;
        }
        // One that was unpacked for other packages.
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::create_dir_all(&place)?;
        fs::rename(fresh, &files).context("the unpacked Debian cannot be moved to its place")?;
        fs::write(stamp, wanted)?;
    }
    Ok(files)
}

/// Adds what is in `folder` to `archive`, below its folder `to`, in the order of the names.
///
/// # Errors
///
/// A file cannot be read.
pub fn add(folder: &Path, to: &str, archive: &mut Archive) -> Result<()> {
    let read = || format!("{} cannot be read", folder.display());
    let mut paths: Vec<_> =
        fs::read_dir(folder).with_context(read)?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    paths.sort();
    for path in paths {
        let file = path.file_name().and_then(|file| file.to_str()).context("a file without a name")?;
        let name = if to.is_empty() { file.to_owned() } else { format!("{to}/{file}") };
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            archive.folder(&name);
            add(&path, &name, archive)?;
        } else if metadata.is_symlink() {
            let leads = fs::read_link(&path)?;
            archive.link(&name, leads.to_str().context("a link to a name that is no text")?);
        } else {
            archive.file(&name, metadata.permissions().mode() & 0o111 != 0, &fs::read(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_is_added_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("usr").join("bin");
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("tool"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(inner.join("tool"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("usr").join("text"), "words").unwrap();
        symlink("usr/bin", folder.path().join("bin")).unwrap();
        let (mut archive, mut expected) = (Archive::default(), Archive::default());
        add(folder.path(), "", &mut archive).unwrap();
        expected.link("bin", "usr/bin");
        expected.folder("usr");
        expected.folder("usr/bin");
        expected.file("usr/bin/tool", true, b"#!/bin/sh\n");
        expected.file("usr/text", false, b"words");
        assert!(archive.finish() == expected.finish());
    }
}
