//! Images of disks for the VMs of tests and demonstrations.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{boot_disk, file_systems};
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
        file_systems::ext4(&files, &made)?;
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
