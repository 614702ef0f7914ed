//! Images of disks for the VMs of tests and demonstrations.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::boot_disk;
use crate::environment::Environment;
use crate::metal;

/// A megabyte, each sector of which begins with its number and has its last byte in all that follow.
const NUMBERED: &str = "numbered";
/// A file system of Linux' kind with one file, which has the numbers from 1 on, a line each.
const FILES: &str = "ext4";

/// Another one, with a kernel in it: the shell ops with its commands for tests, as the file [`KERNEL_FILE`].
const KERNEL: &str = "kernel";
const KERNEL_FILE: &str = "Image";

/// A disk from which boot loaders start a Debian.
const BOOT: &str = "debian-boot";

/// The known images.
pub const NAMES: [&str; 4] = [NUMBERED, FILES, KERNEL, BOOT];

/// Sectors of the first one, and bytes of each.
const SECTORS: u32 = 2048;
const SECTOR: usize = 512;
/// Bytes of the file in the other one: what `seq 1 3000000 | head -c 3000000` writes.
const FILE: usize = 3_000_000;
/// Bytes of its file system, for `mke2fs`.
const FILE_SYSTEM: &str = "8M";
/// What makes it the same each time.
const UUID: &str = "5d1c9a4e-0000-4000-8000-000000000001";

/// The image called `name`, made when this is asked for the first time; none: there is no such.
///
/// # Errors
///
/// It cannot be made or written.
pub fn image(environment: &Environment, name: &str) -> Result<Option<PathBuf>> {
    if !NAMES.contains(&name) {
        return Ok(None);
    }
    let folder = environment.target().join("disks");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let place = folder.join(format!("{name}.img"));
    // What is of this checkout may be another one than the last time.
    if place.exists() && ![KERNEL, BOOT].contains(&name) {
        return Ok(Some(place));
    }
    // Whole or not at all.
    let fresh = tempfile::tempdir_in(&folder)?;
    let made = fresh.path().join("image");
    if name == NUMBERED {
        fs::write(&made, numbered())?;
    } else if name == BOOT {
        boot_disk::make(environment, &made)?;
    } else {
        let files = fresh.path().join("files");
        fs::create_dir(&files)?;
        if name == KERNEL {
            metal::build_ops_testing(environment)?;
            fs::copy(metal::image(environment, metal::OPS_TESTING)?, files.join(KERNEL_FILE))?;
        } else {
            fs::write(files.join("numbers"), numbers())?;
        }
        file_system(&files, &made)?;
    }
    fs::rename(&made, &place).with_context(|| format!("{} cannot be written", place.display()))?;
    Ok(Some(place))
}

fn numbered() -> Vec<u8> {
    (0..SECTORS).flat_map(|sector| sector.to_le_bytes().into_iter().chain([sector as u8; SECTOR - 4])).collect()
}

fn numbers() -> Vec<u8> {
    let mut text: Vec<u8> = (1..=FILE).flat_map(|number| format!("{number}\n").into_bytes()).take(FILE).collect();
    text.truncate(FILE);
    text
}

/// Makes the file system `to` of what is in the folder `from`, by `mke2fs`, which every Debian has, though not in every user's
/// path.
fn file_system(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    // Without a journal there is nothing that whoever mounts it, read-only, would like to write.
    let output = Command::new("mke2fs")
        .env("PATH", path())
        .args(["-q", "-t", "ext4", "-O", "^has_journal", "-U", UUID, "-E", &format!("hash_seed={UUID}"), "-d"])
        .arg(from)
        .arg(to)
        .arg(FILE_SYSTEM)
        .output()
        .context("mke2fs could not be started; scripts/setup installs e2fsprogs")?;
    ensure!(output.status.success(), "mke2fs: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Where programs lie that make disks.
pub fn path() -> OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_are_as_they_are_said_to_be() {
        let image = numbered();
        assert_eq!(image.len(), 1 << 20);
        assert_eq!((&image[513 * 512..][..4], image[513 * 512 + 511]), (&513_u32.to_le_bytes()[..], 1));
        let text = numbers();
        assert!(text.starts_with(b"1\n2\n3\n") && text.len() == FILE);
        let folder = tempfile::tempdir().unwrap();
        let environment = Environment::at(folder.path());
        assert!(super::image(&environment, "none").unwrap().is_none());
        let place = super::image(&environment, FILES).unwrap().unwrap();
        let made = fs::read(&place).unwrap();
        // The magic number of its superblock, whose place is 1024 bytes from the start.
        assert_eq!((made.len(), &made[1024 + 56..][..2]), (8 << 20, &[0x53, 0xef][..]));
        assert_eq!(super::image(&environment, FILES).unwrap().unwrap(), place);
    }
}
