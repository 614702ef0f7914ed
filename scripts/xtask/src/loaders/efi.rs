//! What UEFI firmware starts from a disk, and EDK2 as Debian builds it for QEMU's `virt`.

pub mod grub;
pub mod shell;
pub mod systemd_boot;

/// Debian's package of EDK2.
pub const PACKAGE: &str = "qemu-efi-aarch64";
/// Where it has the program.
pub const FIRMWARE: &str = "usr/share/qemu-efi-aarch64/QEMU_EFI.fd";
/// The program that firmware starts from a disk that it knows nothing of (UEFI 3.5.1.1).
pub const PROGRAM: &str = "EFI/BOOT/BOOTAA64.EFI";
/// The bundle beside it.
pub const BUNDLE: &str = "EFI/BOOT/bundle.img";
