//! The tests of what starts the hypervisor on boards, in QEMU's `virt`: U-Boot; EDK2 by itself, with GRUB, with systemd-boot.

use super::super::damage::{Damage, Field};
use super::super::expectation::Expectation::{self, All, Cases, Date, Line, NoGuest, Value};
use super::case::{CONFORMANCE, Case, LINUX, NO_OOPS};
use crate::board::Gic;
use crate::guests::boot_loaders::Release::{self, Bookworm, Trixie};
use crate::loaders::Loader;
use crate::loaders::way::{Firmware, Fit, Grub, Way};
use crate::machine::script::Step::{self, Type, Wait};

/// What somebody types to U-Boot that has both files on a disk.
const BOOTI: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $kernel_addr_r portcullis.img\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r bundle.img\r"),
    Wait("=> "),
    Type("booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdt_addr\r"),
];
/// The same with a FIT, whose RAM disk has to be named if the device tree is not in it.
const BOOTM: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r portcullis.itb\r"),
    Wait("=> "),
    Type("bootm $ramdisk_addr_r $ramdisk_addr_r $fdt_addr\r"),
];
/// With a FIT that has all three.
const BOOTM_WITH_TREE: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r portcullis.itb\r"),
    Wait("=> "),
    Type("bootm $ramdisk_addr_r\r"),
];

/// The same with what a boot loader may have left of its interrupts, GICv2: all of those from 32 to 255 enabled and pending, but for
/// the clock's, whose line is high; the timers' of this core active; SGIs pending, among them the one that ends a core.
const BOOTI_AND_LEFTOVERS: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $kernel_addr_r portcullis.img\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r bundle.img\r"),
    Wait("=> "),
    Type("mw.l 0x09010004 0; mw.l 0x09010010 1\r"),
    Wait("=> "),
    // GICD_ISENABLER, ISPENDR, ISACTIVER, SPENDSGIR (IHI 0048, 4.3).
    Type("mw.l 0x08000100 0xffffffff 8; mw.l 0x08000204 0xffffffff 7\r"),
    Wait("=> "),
    Type("mw.l 0x08000300 0x4e000000; mw.l 0x08000304 0xffff0000 7; mw.b 0x08000f20 1 10\r"),
    Wait("=> "),
    // GICH_HCR: a virtual interface that asks for maintenance.
    Type("mw.l 0x08030000 0xff\r"),
    Wait("=> "),
    Type("booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdt_addr\r"),
];

/// Every case of the conformance guest.
const ALL_CASES: Expectation = All(&[Cases("all"), Cases("none"), Cases("part")]);
/// A Linux guest with two vCPUs, which knows the time of day.
const TWO_VCPUS: Expectation = All(&[
    NO_OOPS,
    Value("linux-a", "cpus", "2"),
    Value("linux-a", "vendor", "yes"),
    Value("linux-a", "ptp", "yes"),
    Value("linux-a", "rtc_name", "rtc-pl031 9010000.pl031"),
    Date("linux-a"),
]);
/// U-Boot's word that it has started something.
const BY_U_BOOT: Expectation = Line("Starting kernel ...");

const U_BOOT: Case = Case { expectations: &[BY_U_BOOT, ALL_CASES], ..CONFORMANCE };
const U_BOOT_GICV2: Case = Case { manifest: "conformance-gicv2.toml", gic: Gic::V2, ..U_BOOT };
const U_BOOT_LINUX: Case =
    Case { manifest: "loader-linux.toml", cores: 2, expectations: &[BY_U_BOOT, TWO_VCPUS], ..LINUX };

/// Firmware of Debian 12 crashes by itself on QEMU's newest CPU; the one that it runs on has no random numbers. EDK2 keeps the
/// clock, and what it tells of the time at the end is all that there is.
const EFI: Case = Case {
    manifest: "conformance-no-entropy.toml",
    cpu: Some("cortex-a72"),
    expectations: &[FROM_LOADER, ALL_CASES],
    ..CONFORMANCE
};
const EFI_GICV2: Case = Case { manifest: "conformance-gicv2-no-entropy.toml", gic: Gic::V2, ..EFI };
const EFI_LINUX: Case = Case {
    manifest: "loader-linux.toml",
    cpu: Some("cortex-a72"),
    cores: 2,
    expectations: &[FROM_LOADER, TWO_VCPUS],
    ..LINUX
};

const FROM_LOADER: Expectation = Line("portcullis: EFI: the bundle comes from the boot loader, by LoadFile2");
const FROM_TREE: Expectation =
    Line("portcullis: EFI: the bundle comes from the boot loader, by the device tree's /chosen");
const FROM_FILE: Expectation = Line("portcullis: EFI: the bundle comes from bundle.img beside the image");

/// EDK2 keeps the board's clock, so the time of day is what it told.
const TOLD: Expectation = Line("time of day: EFI's at start, and counter");

/// What is refused while the firmware is there, which then says that its program has ended, and how.
const REFUSED: Case = Case { loader: edk2(Trixie, Way::Removable), ..EFI };

const fn u_boot(release: Release, way: Way) -> Option<Loader> {
    Some(Loader { firmware: Firmware::UBoot, release, way })
}

const fn edk2(release: Release, way: Way) -> Option<Loader> {
    Some(Loader { firmware: Firmware::Edk2, release, way })
}

/// The tests.
pub const CASES: &[Case] = &[
    Case { name: "u-boot-2023-conformance", loader: u_boot(Bookworm, Way::Extlinux), ..U_BOOT },
    Case { name: "u-boot-2023-conformance-gicv2", loader: u_boot(Bookworm, Way::Prompt), keys: BOOTI, ..U_BOOT_GICV2 },
    Case { name: "u-boot-2023-linux", loader: u_boot(Bookworm, Way::Fit(Fit::Whole)), keys: BOOTM, ..U_BOOT_LINUX },
    Case {
        name: "u-boot-2023-linux-gicv2",
        gic: Gic::V2,
        loader: u_boot(Bookworm, Way::Fit(Fit::WithTree)),
        keys: BOOTM_WITH_TREE,
        ..U_BOOT_LINUX
    },
    Case {
        name: "u-boot-2025-conformance",
        loader: u_boot(Trixie, Way::Fit(Fit::WithTree)),
        keys: BOOTM_WITH_TREE,
        ..U_BOOT
    },
    Case {
        name: "u-boot-2025-conformance-gicv2",
        loader: u_boot(Trixie, Way::Fit(Fit::Whole)),
        keys: BOOTM,
        ..U_BOOT_GICV2
    },
    Case { name: "u-boot-2025-linux", loader: u_boot(Trixie, Way::Prompt), keys: BOOTI, ..U_BOOT_LINUX },
    Case { name: "u-boot-2025-linux-gicv2", gic: Gic::V2, loader: u_boot(Trixie, Way::Extlinux), ..U_BOOT_LINUX },
    Case {
        name: "u-boot-2025-leftovers-gicv2",
        loader: u_boot(Trixie, Way::Prompt),
        keys: BOOTI_AND_LEFTOVERS,
        ..U_BOOT_GICV2
    },
    // It is back at its prompt then.
    Case {
        name: "u-boot-wrong-hash",
        loader: u_boot(Bookworm, Way::Fit(Fit::WrongHash)),
        keys: BOOTM,
        halts: Some("Ramdisk image is corrupt or invalid"),
        expectations: &[Line("Bad hash value for 'hash-1' hash node in 'ramdisk' image node"), NoGuest],
        ..U_BOOT
    },
    Case {
        name: "u-boot-old-bundle",
        loader: u_boot(Bookworm, Way::Extlinux),
        damage: Some(Damage::Header(Field::Old)),
        expectations: &[BY_U_BOOT, Line("bundle: it starts with 0xd00dfeed, as bundles of version 1 did"), NoGuest],
        ..U_BOOT
    },
];

/// The tests with UEFI firmware.
pub const EFI_CASES: &[Case] = &[
    Case {
        name: "edk2-2022-conformance",
        loader: edk2(Bookworm, Way::Kernel),
        expectations: &[FROM_LOADER, TOLD, ALL_CASES],
        ..EFI
    },
    Case {
        name: "edk2-2022-linux-gicv2",
        gic: Gic::V2,
        loader: edk2(Bookworm, Way::Removable),
        expectations: &[FROM_FILE, TWO_VCPUS],
        ..EFI_LINUX
    },
    Case {
        name: "edk2-2025-conformance-gicv2",
        loader: edk2(Trixie, Way::Removable),
        expectations: &[FROM_FILE, ALL_CASES],
        ..EFI_GICV2
    },
    Case { name: "edk2-2025-linux", loader: edk2(Trixie, Way::Kernel), cpu: None, ..EFI_LINUX },
    Case {
        name: "u-boot-2025-efi-conformance",
        loader: u_boot(Trixie, Way::Removable),
        expectations: &[FROM_FILE, ALL_CASES],
        ..EFI
    },
    Case {
        name: "u-boot-2023-efi-linux-gicv2",
        gic: Gic::V2,
        loader: u_boot(Bookworm, Way::Removable),
        expectations: &[FROM_FILE, TWO_VCPUS],
        ..EFI_LINUX
    },
    Case {
        name: "grub-2.06-conformance",
        loader: edk2(Bookworm, Way::Grub(Grub::Linux)),
        expectations: &[FROM_TREE, ALL_CASES],
        ..EFI
    },
    Case {
        name: "grub-2.06-xen-linux-gicv2",
        gic: Gic::V2,
        loader: edk2(Bookworm, Way::Grub(Grub::Xen)),
        expectations: &[FROM_TREE, TWO_VCPUS],
        ..EFI_LINUX
    },
    Case {
        name: "grub-2.12-xen-conformance-gicv2",
        loader: edk2(Trixie, Way::Grub(Grub::Xen)),
        expectations: &[FROM_TREE, ALL_CASES],
        ..EFI_GICV2
    },
    Case { name: "grub-2.12-linux", loader: edk2(Trixie, Way::Grub(Grub::Linux)), ..EFI_LINUX },
    Case { name: "systemd-boot-252-conformance-gicv2", loader: edk2(Bookworm, Way::SystemdBoot), ..EFI_GICV2 },
    Case { name: "systemd-boot-252-linux-gicv2", gic: Gic::V2, loader: edk2(Bookworm, Way::SystemdBoot), ..EFI_LINUX },
    Case { name: "systemd-boot-257-conformance", loader: edk2(Trixie, Way::SystemdBoot), ..EFI },
    Case { name: "systemd-boot-257-linux", loader: edk2(Trixie, Way::SystemdBoot), ..EFI_LINUX },
    Case {
        name: "edk2-acpi-only",
        arguments: &["-machine", "acpi=on"],
        halts: Some(": Unsupported"),
        expectations: &[Line("this machine describes itself by ACPI only, and a device tree is needed"), NoGuest],
        ..REFUSED
    },
    Case {
        name: "edk2-at-el1",
        arguments: &["-machine", "virtualization=off"],
        halts: Some(": Unsupported"),
        expectations: &[Line("the firmware runs at EL1, and EL2 is needed"), NoGuest],
        ..REFUSED
    },
    Case {
        name: "edk2-cut-bundle",
        damage: Some(Damage::CutInHalf),
        halts: Some(": Load Error"),
        expectations: &[Line("bundle, from bundle.img beside the image: its header tells"), NoGuest],
        ..REFUSED
    },
    Case {
        name: "edk2-old-bundle",
        damage: Some(Damage::Header(Field::Old)),
        halts: Some(": Load Error"),
        expectations: &[Line("it starts with 0xd00dfeed, as bundles of version 1 did"), NoGuest],
        ..REFUSED
    },
    Case {
        name: "edk2-no-room",
        manifest: "loader-linux.toml",
        arguments: &["-m", "256M"],
        halts: Some(": Out of Resources"),
        expectations: &[Line("linux-a wants 256 MiB of memory in one piece; "), NoGuest],
        ..REFUSED
    },
    Case {
        name: "grub-no-memory",
        loader: edk2(Trixie, Way::Grub(Grub::NoMemory)),
        halts: Some("a size in \"reg\" is needed: nothing was started"),
        expectations: &[Line("device tree: the device tree has no enabled memory"), NoGuest],
        ..REFUSED
    },
];
