//! The tests of what starts the hypervisor on boards, in QEMU's `virt`: U-Boot; EDK2 by itself, with GRUB, with systemd-boot.
//! Each has the conformance guest and a Linux guest once on either GIC, and what is refused comes in the same run before what
//! is not.

use super::super::expectation::Expectation::{self, All, Cases, Date, Line, NoGuest, NotKept, Sequence, Value};
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::Gic;
use crate::guests::boot_loaders::Release::{self, Bookworm, Trixie};
use crate::loaders::Loader;
use crate::loaders::way::{Firmware, Grub, Way, Written};
use crate::machine::script::Step::{self, Type, Wait};

/// What somebody types to U-Boot who has a FIT with a wrong hash, then a bundle of version 1, and then what is right: a FIT
/// whose RAM disk has to be named, as it has no device tree. It is back at its prompt each time.
const THIRD_TIME: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r wrong.itb\r"),
    Wait("=> "),
    Type("bootm $ramdisk_addr_r $ramdisk_addr_r $fdt_addr\r"),
    Wait("=> "),
    Type("load virtio 0:1 $kernel_addr_r portcullis.img\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r old.img\r"),
    Wait("=> "),
    Type("booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdt_addr\r"),
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
/// EDK2's shell does not wait for somebody to keep it from its script.
const NO_WAIT: &[Step] = &[Wait("startup.nsh"), Type("\r")];

/// What a boot loader may have left of its interrupts, GICv2: all of those from 32 to 255 enabled and pending, but for the
/// clock's, whose line is high; the timers' of this core active; SGIs pending, among them the one that ends a core. And two
/// watchdogs: RAM in their place, which nobody else gets, says that they run.
const BOOTI_AND_LEFTOVERS: &[Step] = &[
    Wait("Hit any key to stop autoboot"),
    Type("\r"),
    Wait("=> "),
    Type("load virtio 0:1 $kernel_addr_r portcullis.img\r"),
    Wait("=> "),
    Type("load virtio 0:1 $ramdisk_addr_r bundle.img; setenv size $filesize\r"),
    Wait("=> "),
    Type("fdt move $fdt_addr 0x48000000 0x110000; fdt mknode / watchdog@7f000000; fdt rsvmem add 0x7f000000 0x2000\r"),
    Wait("=> "),
    Type(
        "fdt set /watchdog@7f000000 compatible arm,sbsa-gwdt; fdt set /watchdog@7f000000 reg <0 0x7f000000 0 0x1000>\r",
    ),
    Wait("=> "),
    Type("fdt mknode / watchdog@7f001000; fdt set /watchdog@7f001000 compatible arm,sbsa-gwdt\r"),
    Wait("=> "),
    Type("fdt set /watchdog@7f001000 reg <0 0x7f001000 0 0x1000>; mw.l 0x7f001000 1\r"),
    Wait("=> "),
    Type("mw.l 0x7f000000 1; mw.l 0x09010004 0; mw.l 0x09010010 1\r"),
    Wait("=> "),
    // GICD_ISENABLER, ISPENDR, ISACTIVER, SPENDSGIR (IHI 0048, 4.3).
    Type("mw.l 0x08000100 0xffffffff 8; mw.l 0x08000204 0xffffffff 7\r"),
    Wait("=> "),
    Type("mw.l 0x08000300 0x4e000000; mw.l 0x08000304 0xffff0000 7; mw.b 0x08000f20 1 10\r"),
    Wait("=> "),
    // GICH_HCR: a virtual interface that asks for maintenance. GICC_APR0: an interrupt that was acknowledged and never ended.
    Type("mw.l 0x08030000 0xff; mw.l 0x080100d0 1\r"),
    Wait("=> "),
    Type("booti $kernel_addr_r $ramdisk_addr_r:$size 0x48000000\r"),
];

/// Both guests.
const BOTH: Expectation = All(&[
    Cases("all"),
    NO_OOPS,
    Value("linux-a", "cpus", "2"),
    Value("linux-a", "vendor", "yes"),
    Value("linux-a", "ptp", "yes"),
    Value("linux-a", "rtc_name", "rtc-pl031 9010000.pl031"),
    Date("linux-a"),
]);
/// Every case of the conformance guest.
const ALL_CASES: Expectation = All(&[Cases("all"), Cases("none"), Cases("part")]);
/// U-Boot's word that it has started something.
const BY_U_BOOT: Expectation = Line("Starting kernel ...");
/// Three small VMs: what else a loader can do.
const SMALL: Case = Case { manifest: "steps.toml", ..LINUX };
const STEPS: Expectation = All(&[Cases("alone"), Cases("shares"), Cases("shares-too")]);

const U_BOOT: Case = Case { expectations: &[BY_U_BOOT, BOTH], manifest: "loader.toml", ..LINUX };

/// Firmware of Debian 12 crashes by itself on QEMU's newest CPU; the one that it runs on has no random numbers. EDK2 keeps the
/// clock, and what it tells of the time at the end is all that there is.
const EFI: Case = Case {
    manifest: "loader-no-entropy.toml",
    cpu: Some("cortex-a72"),
    arguments: NO_MENU,
    expectations: &[FROM_LOADER, BOTH],
    ..LINUX
};
const EFI_GICV2: Case = Case { manifest: "loader-gicv2-no-entropy.toml", gic: Gic::V2, ..EFI };
/// EDK2 waits for nobody who wants its menu.
const NO_MENU: &[&str] = &["-boot", "menu=on,splash-time=0"];

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

const fn written(release: Release, written: Written) -> Option<Loader> {
    u_boot(release, Way::Written(written))
}

const fn edk2(release: Release, way: Way) -> Option<Loader> {
    Some(Loader { firmware: Firmware::Edk2, release, way })
}

/// The tests.
pub const CASES: &[Case] = &[
    Case {
        name: "u-boot-2023-extlinux",
        manifest: "conformance.toml",
        loader: written(Bookworm, Written::Plain),
        expectations: &[BY_U_BOOT, ALL_CASES],
        ..U_BOOT
    },
    Case {
        name: "u-boot-2023-fit-gicv2",
        manifest: "loader-gicv2.toml",
        gic: Gic::V2,
        loader: written(Bookworm, Written::BesideDamaged),
        keys: THIRD_TIME,
        expectations: &[
            Sequence(&[
                "Bad hash value for 'hash-1' hash node in 'ramdisk' image node",
                "Bad Data Hash",
                "Ramdisk image is corrupt or invalid",
                "=> load virtio 0:1 $kernel_addr_r portcullis.img",
                "Bad FIT ramdisk image format!",
                "Ramdisk image is corrupt or invalid",
                "=> load virtio 0:1 $ramdisk_addr_r portcullis.itb",
                "Starting kernel ...",
            ]),
            BOTH,
        ],
        ..U_BOOT
    },
    Case { name: "u-boot-2025-extlinux", loader: written(Trixie, Written::Plain), ..U_BOOT },
    Case {
        name: "u-boot-2025-fit-with-tree",
        loader: written(Trixie, Written::WithTree),
        keys: BOOTM_WITH_TREE,
        expectations: &[BY_U_BOOT, STEPS],
        ..SMALL
    },
    Case {
        name: "u-boot-2025-leftovers-gicv2",
        manifest: "conformance-gicv2.toml",
        gic: Gic::V2,
        loader: written(Trixie, Written::Plain),
        keys: BOOTI_AND_LEFTOVERS,
        expectations: &[
            BY_U_BOOT,
            Line("portcullis: a generic watchdog at 0x7f000000 was left running, and is stopped"),
            Line("portcullis: a generic watchdog at 0x7f001000 was left running, and is stopped"),
            ALL_CASES,
        ],
        ..U_BOOT
    },
];

/// The tests with UEFI firmware.
pub const EFI_CASES: &[Case] = &[
    Case {
        name: "u-boot-2025-efi",
        manifest: "conformance-no-entropy.toml",
        loader: u_boot(Trixie, Way::Removable),
        expectations: &[FROM_FILE, ALL_CASES],
        ..EFI
    },
    Case {
        name: "u-boot-2023-efi-gicv2",
        manifest: "conformance-gicv2-no-entropy.toml",
        loader: u_boot(Bookworm, Way::Removable),
        expectations: &[FROM_FILE, ALL_CASES],
        ..EFI_GICV2
    },
    Case {
        name: "edk2-2022-gicv2",
        loader: edk2(Bookworm, Way::Kernel),
        expectations: &[FROM_LOADER, TOLD, BOTH],
        ..EFI_GICV2
    },
    // One refusal after the other in one shell, which goes on after each.
    Case {
        name: "edk2-2025-shell",
        manifest: "loader-placed.toml",
        loader: edk2(Trixie, Way::Shell),
        keys: NO_WAIT,
        expectations: &[
            Sequence(&[
                "names: it starts with 0xd00dfeed, as bundles of version 1 did",
                "from the file that the option initrd= names: its header tells",
                "linux-a wants 65536 MiB of memory in one piece; ",
                "the option initrd= names, cannot be read (EFI status 0x800000000000000e); look whether it is there",
                "the option initrd= names a path of more than 255 characters",
                "portcullis: EFI: the bundle comes from the file that the option initrd= names",
            ]),
            NotKept("placed", 4 << 20),
            BOTH,
            Cases("placed"),
        ],
        ..EFI
    },
    Case {
        name: "grub-2.06-linux",
        loader: edk2(Bookworm, Way::Grub(Grub::Linux)),
        expectations: &[FROM_TREE, BOTH],
        ..EFI
    },
    Case {
        name: "grub-2.06-xen",
        loader: edk2(Bookworm, Way::Grub(Grub::Xen)),
        expectations: &[FROM_TREE, STEPS],
        cpu: EFI.cpu,
        arguments: NO_MENU,
        ..SMALL
    },
    Case {
        name: "grub-2.12-xen-gicv2",
        loader: edk2(Trixie, Way::Grub(Grub::Xen)),
        expectations: &[FROM_TREE, BOTH],
        ..EFI_GICV2
    },
    Case {
        name: "grub-2.12-linux",
        loader: edk2(Trixie, Way::Grub(Grub::Linux)),
        expectations: &[FROM_LOADER, STEPS],
        cpu: EFI.cpu,
        arguments: NO_MENU,
        ..SMALL
    },
    // GRUB goes on when the program has ended: each time.
    Case {
        name: "grub-2.12-no-memory",
        loader: edk2(Trixie, Way::Grub(Grub::NoMemory)),
        halts: Some("GRUB goes on"),
        expectations: &[
            Sequence(&[
                "portcullis: bundle, from the boot loader, by LoadFile2: its header tells",
                "device tree: the device tree has no enabled memory",
            ]),
            NoGuest,
        ],
        ..EFI
    },
    Case { name: "systemd-boot-252-gicv2", loader: edk2(Bookworm, Way::SystemdBoot), ..EFI_GICV2 },
    Case {
        name: "systemd-boot-257",
        manifest: "loader.toml",
        cpu: None,
        loader: edk2(Trixie, Way::SystemdBoot),
        ..EFI
    },
    Case {
        name: "edk2-acpi-only",
        arguments: &["-machine", "acpi=on", "-boot", "menu=on,splash-time=0"],
        halts: Some(": Unsupported"),
        expectations: &[Line("this machine describes itself by ACPI only, and a device tree is needed"), NoGuest],
        ..REFUSED
    },
    Case {
        name: "edk2-at-el1",
        arguments: &["-machine", "virtualization=off", "-boot", "menu=on,splash-time=0"],
        halts: Some(": Unsupported"),
        expectations: &[Line("the firmware runs at EL1, and EL2 is needed"), NoGuest],
        ..REFUSED
    },
];
