//! The ways to an image that runs: what a machine begins with, and what it finds then.

/// What the machine begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Firmware {
    /// U-Boot.
    UBoot,
    /// EDK2, which is UEFI.
    Edk2,
}

/// How the image and the bundle come to be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// U-Boot has a disk with what `scripts/image --u-boot` writes, and goes by extlinux/extlinux.conf unless somebody types.
    Written(Written),
    /// EDK2 gets both from QEMU, by `-kernel` and `-initrd`.
    Kernel,
    /// The image is the program that UEFI firmware starts from a disk by itself, and the bundle lies beside it.
    Removable,
    /// UEFI's shell goes by its startup.nsh, in which the load option names one bundle after another; the last one is whole.
    Shell,
    /// GRUB is that program, and goes by its grub.cfg.
    Grub(Grub),
    /// systemd-boot is that program, and has an entry.
    SystemdBoot,
}

/// What is on a disk for U-Boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// As it is written without a device tree: U-Boot hands over its own.
    Plain,
    /// The FIT has a device tree.
    WithTree,
    /// Files that are not as they should be lie beside: a FIT with a wrong hash, and a bundle of version 1.
    BesideDamaged,
}

/// What GRUB's configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grub {
    /// `linux` and `initrd`.
    Linux,
    /// `xen_hypervisor` and `xen_module`.
    Xen,
    /// `linux` and `initrd` with a bundle that was cut short; then with a whole one, and by `devicetree` a tree that tells of no
    /// memory.
    NoMemory,
}
