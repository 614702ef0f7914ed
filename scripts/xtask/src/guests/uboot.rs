//! U-Boot as Debian builds it for QEMU's `virt` machine, and a RAM disk from which it boots a Debian guest.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::debian::{self, Release};
use super::initramfs::More;
use super::{boot_loaders, initramfs};
use crate::environment::Environment;

/// Name of the known guest.
pub const GUEST: &str = "u-boot";
/// Debian's package.
const PACKAGE: &str = "u-boot-qemu";
/// Where it has the program for a 64-bit machine, a raw binary.
const PROGRAM: &str = "usr/lib/u-boot/qemu_arm64/u-boot.bin";
/// Where the RAM disk of the kernel begins in U-Boot's, behind the kernel and what that needs of memory behind itself.
const INNER_DISK: u64 = 64 << 20;

/// Its size, with zeros behind it, which a kernel passes over: U-Boot's user need not know the true one.
const INNER_SIZE: u64 = 16 << 20;

/// The program, downloaded when this is asked for the first time.
///
/// # Errors
///
/// apt, its hashes, or the content of the package.
pub fn program(environment: &Environment) -> Result<PathBuf> {
    boot_loaders::program(environment, boot_loaders::Release::Bookworm, PACKAGE, PROGRAM, "u-boot.bin")
}

/// A RAM disk that is a Debian kernel and, `INNER_DISK` further, its own RAM disk: `booti` runs the kernel where it lies.
///
/// # Errors
///
/// The kernel's files cannot be had, or it is too large.
pub fn disk(environment: &Environment) -> Result<PathBuf> {
    let kernel = debian::kernel(environment, Release::of_guest("debian").context("debian is a known guest")?)?;
    let inner = initramfs::build(environment, &kernel, &debian::busybox(environment)?, &More::default())?;
    let mut disk = fs::read(&kernel.image)?;
    let room = usize::try_from(INNER_DISK)?;
    ensure!(disk.len() <= room, "{} is larger than the {room} bytes that there are for it", kernel.image.display());
    disk.resize(room, 0);
    disk.extend(fs::read(&inner)?);
    let room = room.saturating_add(usize::try_from(INNER_SIZE)?);
    ensure!(disk.len() <= room, "{} is larger than {INNER_SIZE} bytes", inner.display());
    disk.resize(room, 0);
    boot_loaders::made(environment, "u-boot.disk", &disk)
}
