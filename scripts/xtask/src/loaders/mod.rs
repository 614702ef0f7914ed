//! Boot loaders in QEMU's `virt` machine: what starts the image there in place of QEMU itself. `docs/boot.md` has the same for a
//! person at a board.

mod disk;
mod efi;
mod spoiled;
pub mod u_boot;
pub mod way;

use std::path::{Path, PathBuf};

use anyhow::Result;

use self::disk::Disk;
use self::efi::{grub, shell, systemd_boot};
use self::spoiled::{CUT, LARGE, OLD, spoil};
use self::way::{Firmware, Grub, Way, Written};
use crate::board::Board;
use crate::environment::Environment;
use crate::guests::boot_loaders::{self, Release};

/// A boot loader: what the machine begins with, and how that comes to the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loader {
    /// What the machine begins with.
    pub firmware: Firmware,
    /// Whose build all of it is.
    pub release: Release,
    /// What is started from what.
    pub way: Way,
}

impl Loader {
    /// Whether it is to hand over a device tree that it is given.
    pub fn wants_tree(self) -> bool {
        matches!(self.way, Way::Written(Written::WithTree) | Way::Grub(Grub::NoMemory))
    }

    /// QEMU's arguments, with this instead of `-kernel` and `-initrd`, and with the machine's own device tree if [it is
    /// wanted](Self::wants_tree). What is Debian's is downloaded when this is asked for the first time.
    ///
    /// # Errors
    ///
    /// apt, its hashes, the content of the package, or a file that cannot be written.
    pub fn arguments(
        self,
        environment: &Environment,
        image: &Path,
        bundle: &Path,
        tree: Option<&Path>,
    ) -> Result<Vec<String>> {
        let path = |path: &Path| path.display().to_string();
        let mut arguments = vec!["-bios".to_owned(), path(&self.program(environment)?)];
        if self.firmware == Firmware::Edk2 {
            // It hands over a device tree or ACPI's tables, never both.
            arguments.extend(["-machine", "acpi=off"].map(str::to_owned));
        }
        if self.way == Way::Kernel {
            arguments.extend(["-kernel".to_owned(), path(image), "-initrd".to_owned(), path(bundle)]);
            return Ok(arguments);
        }
        let mut disk = Disk::new(environment)?;
        if self.way != Way::Removable {
            disk.copy(image, u_boot::IMAGE)?;
            disk.copy(bundle, u_boot::BUNDLE)?;
        }
        match self.way {
            Way::Kernel => {}
            Way::Written(written) => {
                let contents = u_boot::Contents::read(image, bundle, tree)?;
                u_boot::write(disk.folder(), &contents, Board::QemuVirt)?;
                if written == Written::BesideDamaged {
                    let mut fit = u_boot::fit(&contents, Board::QemuVirt)?;
                    u_boot::spoil(&mut fit, bundle)?;
                    disk.write(u_boot::WRONG, &fit)?;
                    spoil(&mut disk, bundle, &[OLD])?;
                }
            }
            Way::Removable => {
                disk.copy(image, efi::PROGRAM)?;
                disk.copy(bundle, efi::BUNDLE)?;
            }
            Way::Shell => {
                let spoiled = [OLD, CUT, LARGE];
                spoil(&mut disk, bundle, &spoiled)?;
                disk.write(shell::SCRIPT, shell::script(&spoiled.map(|(name, _)| name)).as_bytes())?;
            }
            Way::Grub(configuration) => {
                if configuration == Grub::NoMemory {
                    spoil(&mut disk, bundle, &[CUT])?;
                }
                grub::fill(&mut disk, environment, self.release, configuration, tree)?;
            }
            Way::SystemdBoot => systemd_boot::fill(&mut disk, environment, self.release)?,
        }
        arguments.extend(disk.arguments());
        Ok(arguments)
    }

    /// The program that the machine begins with. Those of Debian 12 are known guests, too.
    fn program(self, environment: &Environment) -> Result<PathBuf> {
        let (package, program, name) = match (self.firmware, self.release) {
            (Firmware::UBoot, Release::Bookworm) => (u_boot::PACKAGE, u_boot::PROGRAM, "u-boot.bin"),
            (Firmware::UBoot, Release::Trixie) => (u_boot::PACKAGE, u_boot::PROGRAM, "u-boot-trixie.bin"),
            (Firmware::Edk2, Release::Bookworm) => (efi::PACKAGE, efi::FIRMWARE, "edk2.fd"),
            (Firmware::Edk2, Release::Trixie) => (efi::PACKAGE, efi::FIRMWARE, "edk2-trixie.fd"),
        };
        boot_loaders::program(environment, self.release, package, program, name)
    }
}
