//! A disk from which boot loaders start a Debian, as they would start an installed one: a partition table (GPT) with an EFI system
//! partition, which has the kernel, its RAM disk, extlinux.conf for U-Boot, and GRUB for UEFI firmware.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::boot_loaders::{self, Release};
use super::debian;
use super::disks::path;
use super::initramfs::{self, More};
use crate::environment::Environment;

/// The image's size in bytes, of which Debian's kernel has three quarters.
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
/// The program that UEFI firmware starts from a disk that it knows nothing of (UEFI 2.10, section 3.5.1.1).
const PROGRAM: &str = "EFI/BOOT/BOOTAA64.EFI";

/// The words for the kernel, by which its script uses the network, and the disk that it comes from.
fn words(address: &str, disk: &str) -> String {
    format!("console=ttyAMA0 portcullis.links=address:{address}/24,ping:10.0.0.2,read:{disk} portcullis.exit")
}

/// Where U-Boot's distro boot looks.
fn extlinux() -> String {
    format!(
        "default debian\ntimeout 1\nlabel debian\n  kernel /Image\n  initrd /initrd\n  append {}\n",
        words("10.0.0.1", "boot-extlinux")
    )
}

/// Where GRUB looks, from the disk that it was started from.
fn grub() -> String {
    format!("linux /Image {}\ninitrd /initrd\nboot\n", words("10.0.0.3", "boot-grub"))
}

/// Makes the image `to`.
///
/// # Errors
///
/// The kernel or GRUB cannot be had, sfdisk or mtools are missing or refuse, or the image cannot be written.
pub fn make(environment: &Environment, to: &Path) -> Result<()> {
    let kernel = debian::kernel(environment, debian::Release::of_guest("debian").context("debian is a known guest")?)?;
    let disk = initramfs::build(environment, &kernel, &debian::busybox(environment)?, &More::default())?;
    let program = boot_loaders::grub(environment, Release::Bookworm)?;

    let files = tempfile::tempdir_in(to.parent().context("an image without a folder")?)?;
    let put = |name: &str, from: &Path| -> Result<()> {
        let file = files.path().join(name);
        fs::create_dir_all(file.parent().context("a file without a folder")?)?;
        fs::copy(from, &file).with_context(|| format!("{} cannot be read", from.display()))?;
        Ok(())
    };
    put("Image", &kernel.image)?;
    put("initrd", &disk)?;
    put(PROGRAM, &program)?;
    for (name, text) in [("extlinux/extlinux.conf", extlinux()), ("boot/grub/grub.cfg", grub())] {
        let file = files.path().join(name);
        fs::create_dir_all(file.parent().context("a file without a folder")?)?;
        fs::write(file, text)?;
    }
    partition(to)?;
    file_system(files.path(), to)
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
fn file_system(from: &Path, to: &Path) -> Result<()> {
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
    command.env("PATH", path()).env(WRITTEN.0, WRITTEN.1);
    command
}

/// Runs one of mtools.
fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started; scripts/setup installs mtools"))?;
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
        fs::write(files.join("boot/grub/grub.cfg"), grub()).unwrap();
        partition(&image).unwrap();
        file_system(&files, &image).unwrap();
        let made = fs::read(&image).unwrap();
        assert_eq!(made.len() as u64, SIZE);
        // The headers of both copies of the table, and the end of the partition's first sector.
        assert_eq!((&made[512..520], &made[made.len() - 512..][..8]), (&b"EFI PART"[..], &b"EFI PART"[..]));
        assert_eq!(made[OFFSET as usize + 510..][..2], [0x55, 0xaa]);
        let text = command("mtype").arg("-i").arg(format!("{}@@{OFFSET}", image.display())).arg("::boot/grub/grub.cfg").output();
        assert_eq!(String::from_utf8(text.unwrap().stdout).unwrap(), grub());
        // What does not fit is said.
        fs::File::create(files.join("large")).unwrap().set_len(SIZE).unwrap();
        assert!(file_system(&files, &image).unwrap_err().to_string().starts_with("mcopy: "));
    }
}
