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
    /// U-Boot finds extlinux/extlinux.conf on a disk, and both files beside it.
    Extlinux,
    /// U-Boot has a FIT on a disk and does nothing by itself: somebody types.
    Fit(Fit),
    /// U-Boot has both on a disk, and somebody types.
    Prompt,
    /// EDK2 gets both from QEMU, by `-kernel` and `-initrd`.
    Kernel,
    /// The image is the program that UEFI firmware starts from a disk by itself, and the bundle lies beside it.
    Removable,
    /// GRUB is that program, and goes by its grub.cfg.
    Grub(Grub),
    /// systemd-boot is that program, and has an entry.
    SystemdBoot,
}

/// A FIT as it is written, or one that was damaged later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// As it is written without a device tree: U-Boot hands over its own.
    Whole,
    /// With a device tree.
    WithTree,
    /// One bit of its bundle is another one than its hash was computed of.
    WrongHash,
}

/// What GRUB's configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grub {
    /// `linux` and `initrd`.
    Linux,
    /// `xen_hypervisor` and `xen_module`.
    Xen,
    /// `linux` and `initrd`, and by `devicetree` a tree that tells of no memory.
    NoMemory,
}
