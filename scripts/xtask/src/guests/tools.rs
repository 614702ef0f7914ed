//! Programs of Debian 12 for its guests' RAM disks: what serves disks, carries bytes, moves frames and reads lines.
//!
//! The packages are unpacked, and of their files only the programs are taken and the libraries that these need (ELF, `DT_NEEDED`).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::debian::{self, Release};
use super::{gpio_tools, libraries};
use crate::environment::Environment;

/// The packages that are named, each with what is taken of it: a program, or what a program loads while it runs.
const PACKAGES: &[(&str, &[&str])] = &[
    ("nbdkit", &["usr/bin/nbdkit", "usr/lib/aarch64-linux-gnu/nbdkit/plugins/nbdkit-file-plugin.so"]),
    ("nbd-server", &["bin/nbd-server"]),
    ("qemu-utils", &["usr/bin/qemu-nbd"]),
    ("socat", &["usr/bin/socat"]),
    ("gpiod", &["usr/bin/gpiodetect", "usr/bin/gpioinfo", "usr/bin/gpiomon", "usr/bin/gpioset", "usr/bin/gpioget"]),
    ("iperf3", &["usr/bin/iperf3"]),
    ("iputils-ping", &["bin/ping"]),
    ("e2fsprogs", &["sbin/mke2fs", "sbin/e2fsck"]),
    ("util-linux", &["usr/sbin/rtcwake"]),
    ("openssh-client", &["usr/bin/ssh", "usr/bin/ssh-keygen"]),
    ("openssh-server", &["usr/sbin/sshd"]),
];
/// What else stands in for the names by which people and scripts call them.
const LINKS: &[(&str, &str)] = &[("bin/mkfs.ext4", "mke2fs"), ("bin/fsck.ext4", "e2fsck")];
/// Where the libraries of Debian's arm64 packages lie, and where the RAM disk has them.
const LIBRARIES: &str = "lib/aarch64-linux-gnu";
/// Where nbdkit looks for its plugins.
const PLUGINS: &str = "usr/lib/aarch64-linux-gnu/nbdkit/plugins";
/// What starts a program that is linked with libraries (its `PT_INTERP`), in the package libc6.
const LOADER: &str = "lib/ld-linux-aarch64.so.1";
/// The finished files are those of this list of packages.
const WANTED: &str = "wanted";

/// What a RAM disk gets besides its own files.
#[derive(Debug)]
pub struct Tools {
    folder: PathBuf,
    /// What takes the place of the tools of GPIO lines, if the kernel has no interface for those.
    gpio: Option<PathBuf>,
}

/// The programs for guests with the kernel of `release`, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the packages.
pub fn tools(environment: &Environment, release: Release) -> Result<Tools> {
    let place = debian::folder(environment).join("tools");
    let wanted = format!("{PACKAGES:?}");
    if fs::read_to_string(place.join(WANTED)).ok().as_ref() != Some(&wanted) {
        fs::create_dir_all(debian::folder(environment))?;
        let fresh = tempfile::tempdir_in(debian::folder(environment))?;
        unpack(environment, fresh.path())?;
        fs::write(fresh.path().join(WANTED), wanted)?;
        // One that was unpacked for other programs.
        if place.exists() {
            fs::remove_dir_all(&place)?;
        }
        fs::rename(fresh.keep(), &place).context("the unpacked programs cannot be moved to their place")?;
    }
    let gpio = release.lacks_first_gpio_interface().then(|| gpio_tools::files(environment)).transpose()?;
    Ok(Tools { folder: place, gpio })
}

impl Tools {
    /// Adds the programs to `archive`, below its folders `bin` and `lib`.
    ///
    /// # Errors
    ///
    /// A file cannot be read.
    pub fn add_to(&self, archive: &mut Archive) -> Result<()> {
        let folder = |archive: &mut Archive, name: &str| -> Result<()> {
            let mut files: Vec<_> =
                fs::read_dir(self.folder.join(name))?.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
            files.sort();
            for path in files {
                let file = path.file_name().and_then(|file| file.to_str()).context("a file without a name")?;
                if self.gpio.is_some() && gpio_tools::PROGRAMS.contains(&file) {
                    continue;
                }
                archive.file(&format!("{name}/{file}"), true, &fs::read(&path)?);
            }
            Ok(())
        };
        folder(archive, "bin")?;
        for (place, _) in PLUGINS.match_indices('/') {
            archive.folder(&PLUGINS[..place]);
        }
        for name in [LIBRARIES, PLUGINS] {
            archive.folder(name);
            folder(archive, name)?;
        }
        archive.file(LOADER, true, &fs::read(self.folder.join("ld.so"))?);
        for (name, to) in LINKS {
            archive.link(name, to);
        }
        if let Some(gpio) = &self.gpio {
            gpio_tools::add_to(gpio, archive)?;
        }
        Ok(())
    }
}

/// Downloads the packages and puts the files that are wanted into `place`: programs into `bin`, plugins and libraries to
/// their folders.
fn unpack(environment: &Environment, place: &Path) -> Result<()> {
    let apt = debian::apt(environment)?;
    apt.update()?;
    let names: Vec<_> = PACKAGES.iter().map(|(package, _)| *package).collect();
    let root = apt.fetch_with_libraries(&names)?;
    let (bin, lib, plugins) = (place.join("bin"), place.join(LIBRARIES), place.join(PLUGINS));
    for folder in [&bin, &lib, &plugins] {
        fs::create_dir_all(folder)?;
    }
    let mut programs = Vec::new();
    for (package, files) in PACKAGES {
        for file in *files {
            let from = root.join(file);
            let name = from.file_name().context("a program without a name")?;
            let to = if file.starts_with(PLUGINS) { plugins.join(name) } else { bin.join(name) };
            fs::copy(&from, to).with_context(|| format!("the package {package} has no {file}"))?;
            programs.push(from);
        }
    }
    for (name, from) in libraries::of(&libraries::below(&root)?, &programs)? {
        fs::copy(from, lib.join(name))?;
    }
    fs::copy(root.join(LOADER), place.join("ld.so")).with_context(|| format!("the package libc6 has no {LOADER}"))?;
    fs::remove_dir_all(root)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn programs_have_names_of_their_own() {
        let mut names = BTreeSet::new();
        let files = PACKAGES.iter().flat_map(|(_, files)| *files).map(|file| file.rsplit('/').next().unwrap());
        for name in files.chain(LINKS.iter().map(|(link, _)| link.rsplit('/').next().unwrap())) {
            assert!(names.insert(name), "{name} twice");
        }
        for (link, to) in LINKS {
            assert!(names.contains(to), "{link} leads nowhere");
        }
    }
}
