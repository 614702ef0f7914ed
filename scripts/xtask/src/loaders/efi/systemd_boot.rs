//! systemd-boot as Debian builds it, with an entry (The Boot Loader Specification, "Type #1 Boot Loader Specification Entries").

use anyhow::Result;

use super::super::disk::Disk;
use super::super::u_boot;
use crate::environment::Environment;
use crate::guests::boot_loaders::{self, Release};

/// Debian's package.
const PACKAGE: &str = "systemd-boot-efi";
/// Where it has the program.
const PROGRAM: &str = "usr/lib/systemd/boot/efi/systemd-bootaa64.efi";

/// Puts it on a disk that has image and bundle.
///
/// # Errors
///
/// The download, or a file that cannot be written.
pub fn fill(disk: &mut Disk, environment: &Environment, release: Release) -> Result<()> {
    let name = match release {
        Release::Bookworm => "systemd-boot.efi",
        Release::Trixie => "systemd-boot-trixie.efi",
    };
    disk.copy(&boot_loaders::program(environment, release, PACKAGE, PROGRAM, name)?, super::PROGRAM)?;
    disk.write("loader/loader.conf", b"timeout 0\ndefault portcullis.conf\n")?;
    disk.write("loader/entries/portcullis.conf", entry().as_bytes())
}

/// The entry.
fn entry() -> String {
    format!("title Portcullis\nlinux /{}\ninitrd /{}\n", u_boot::IMAGE, u_boot::BUNDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entry_names_the_files() {
        assert_eq!(entry(), "title Portcullis\nlinux /portcullis.img\ninitrd /bundle.img\n");
    }
}
