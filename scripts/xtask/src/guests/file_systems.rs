//! File systems on images of disks, by Debian's own programs.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Bytes of an ext4 file system, for mke2fs.
const EXT4_SIZE: &str = "8M";
/// What makes it the same each time.
const UUID: &str = "5d1c9a4e-0000-4000-8000-000000000001";
/// Bytes of a disk with an EFI system partition.
const SIZE: u64 = 48 << 20;
/// Sector at which the partition begins, and bytes before it.
const START: u64 = 2048;
const OFFSET: u64 = START * 512;
/// Sectors behind the partition, for the table's second copy (UEFI 2.10, section 5.3.2).
const BACKUP: u64 = 33;
/// The table, for sfdisk: an EFI system partition, which U-Boot takes as one to boot from. Its names are the same each time.
const TABLE: &str = "label: gpt\nlabel-id: 5D1C9A4E-0000-4000-8000-000000000002\n\
    start=2048, type=uefi, uuid=5D1C9A4E-0000-4000-8000-000000000003, attrs=LegacyBIOSBootable\n";
/// The file system's serial number.
const SERIAL: &str = "50434c53";
/// What mtools takes for the time at which the files were written: the first day of 2024.
const WRITTEN: (&str, &str) = ("SOURCE_DATE_EPOCH", "1704067200");

/// Makes the file system `to` of what is in the folder `from`, by `mke2fs`, which every Debian has, though not in every user's
/// path.
///
/// # Errors
///
/// mke2fs is missing or refuses.
pub fn ext4(from: &Path, to: &Path) -> Result<()> {
    // Without a journal there is nothing that whoever mounts it, read-only, would like to write.
    let output = command("mke2fs")
        .args(["-q", "-t", "ext4", "-O", "^has_journal", "-U", UUID, "-E", &format!("hash_seed={UUID}"), "-d"])
        .arg(from)
        .arg(to)
        .arg(EXT4_SIZE)
        .output()
        .context("mke2fs could not be started; scripts/setup installs e2fsprogs")?;
    ensure!(output.status.success(), "mke2fs: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Makes the disk `to` with a partition table (GPT) and an EFI system partition that has what is in the folder `from`, by sfdisk
/// and mtools.
///
/// # Errors
///
/// One of them is missing or refuses, or the files are larger than the partition.
pub fn efi(from: &Path, to: &Path) -> Result<()> {
    partition(to)?;
    fat(from, to)
}

/// Makes an image with an empty partition.
fn partition(to: &Path) -> Result<()> {
    fs::File::create(to)?.set_len(SIZE)?;
    let mut sfdisk = command("sfdisk");
    sfdisk.arg("--quiet").arg(to).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut sfdisk = sfdisk.spawn().context("sfdisk could not be started; scripts/setup installs fdisk")?;
    sfdisk.stdin.take().context("sfdisk takes no table")?.write_all(TABLE.as_bytes())?;
    let output = sfdisk.wait_with_output()?;
    ensure!(output.status.success(), "sfdisk: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// Makes the partition's FAT file system, with all that is in the folder `from`.
fn fat(from: &Path, to: &Path) -> Result<()> {
    let mut image = to.as_os_str().to_owned();
    image.push(format!("@@{OFFSET}"));
    let sectors = (SIZE / 512 - START - BACKUP).to_string();
    run(command("mformat").arg("-i").arg(&image).args(["-T", &sectors, "-N", SERIAL, "::"]))?;
    let mut entries: Vec<_> = fs::read_dir(from)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    entries.sort();
    run(command("mcopy").arg("-s").arg("-i").arg(&image).args(entries).arg("::"))
}

/// A program that makes disks.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    command.env("PATH", path).env(WRITTEN.0, WRITTEN.1);
    command
}

/// Runs one of mtools.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().with_context(|| format!("{name} could not be started; scripts/setup installs mtools"))?;
    ensure!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_has_a_partition_with_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let (files, image) = (folder.path().join("files"), folder.path().join("image"));
        fs::create_dir_all(files.join("boot/grub")).unwrap();
        fs::write(files.join("boot/grub/grub.cfg"), "boot\n").unwrap();
        efi(&files, &image).unwrap();
        let made = fs::read(&image).unwrap();
        assert_eq!(made.len() as u64, SIZE);
        // The headers of both copies of the table, and the end of the partition's first sector.
        assert_eq!((&made[512..520], &made[made.len() - 512..][..8]), (&b"EFI PART"[..], &b"EFI PART"[..]));
        assert_eq!(made[OFFSET as usize + 510..][..2], [0x55, 0xaa]);
        let text = command("mtype")
            .arg("-i")
            .arg(format!("{}@@{OFFSET}", image.display()))
            .arg("::boot/grub/grub.cfg")
            .output();
        assert_eq!(String::from_utf8(text.unwrap().stdout).unwrap(), "boot\n");
        // What does not fit is said.
        fs::File::create(files.join("large")).unwrap().set_len(SIZE).unwrap();
        assert!(efi(&files, &image).unwrap_err().to_string().starts_with("mcopy: "));
    }
}
