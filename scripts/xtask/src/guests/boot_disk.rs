//! A disk from which boot loaders start a Debian, as they would start an installed one: a partition table (GPT) with an EFI system
//! partition, which has the kernel, its RAM disk, extlinux.conf for U-Boot, and GRUB for UEFI firmware.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::boot_loaders::{self, Release};
use super::debian;
use super::file_systems;
use super::initramfs::{self, More};
use crate::environment::Environment;

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
    file_systems::efi(files.path(), to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loader_finds_the_kernel_with_words_of_its_own() {
        assert!(extlinux().contains(
            "\n  kernel /Image\n  initrd /initrd\n  append console=ttyAMA0 portcullis.links=address:10.0.0.1/24,"
        ));
        assert!(grub().starts_with("linux /Image console=ttyAMA0 portcullis.links=address:10.0.0.3/24,"));
        assert!(grub().ends_with("\ninitrd /initrd\nboot\n"));
    }
}
