//! Boot loaders built for QEMU's `virt` machine run as guests.

use super::super::expectation::Expectation::{Line, Never, Says, Sequence};
use super::case::{Case, LINUX, NO_OOPS};
use crate::machine::script::Step::{Type, Wait};

/// U-Boot's prompt, an environment that it saves and finds again after a reset, what it knows of the machine, and a Debian kernel
/// out of the VM's RAM disk (`guests/uboot.rs`), with the tree that U-Boot was given.
const U_BOOT: Case = Case {
    name: "u-boot",
    manifest: "u-boot.toml",
    cores: 1,
    keys: &[
        Wait("Hit any key to stop autoboot"),
        Type("\x1d1\r"),
        // What comes while it runs its own boot commands is taken for a wish to end them.
        Wait("=> "),
        Type("setenv kept 'over a reset'; saveenv\r"),
        Wait("=> "),
        Type("reset\r"),
        Wait("Hit any key to stop autoboot"),
        Type("\r"),
        Wait("=> "),
        Type("printenv kept\r"),
        Wait("=> "),
        Type("flinfo 2\r"),
        Wait("=> "),
        Type("bdinfo\r"),
        Wait("=> "),
        Type("setenv bootargs console=ttyAMA0 portcullis.exit\r"),
        Wait("=> "),
        // The RAM disk's place (docs/manifest.md), and the kernel's own in it.
        Type("booti 0x48000000 0x4c000000:0x1000000 $fdtcontroladdr\r"),
    ],
    expectations: &[
        NO_OOPS,
        Never("stopped:"),
        Sequence(&[
            "U-Boot 20",
            "DRAM:  256 MiB",
            "=> setenv kept",
            "Saving Environment to Flash...",
            "done",
            "=> reset",
            "portcullis: u-boot: reset",
            "U-Boot 20",
            "=> printenv kept",
            "kept=over a reset",
            "=> flinfo 2",
            // As on QEMU: it finds the first of the two parts.
            "Bank # 2: CFI conformant flash (16 x 16)  Size: 32 MB in 256 Sectors",
            "=> bdinfo",
            "DRAM bank   = 0x0000000000000000",
            "-> start    = 0x0000000040000000",
            "-> size     = 0x0000000010000000",
            "=> booti",
            "Starting kernel ...",
            "Booting Linux on physical CPU",
            "firmware-check: vendor=yes",
            "firmware-check: rtc=yes",
            "firmware-check: done",
        ]),
        Line("portcullis: u-boot: off"),
    ],
    ..LINUX
};

/// EDK2's shell, and a variable that it finds again after a reset. What it is typed it shows between orders to the cursor.
const EDK2: Case = Case {
    name: "edk2",
    manifest: "edk2.toml",
    cores: 1,
    keys: &[
        Wait("startup.nsh"),
        Type("\x1d1\r"),
        Type("\r"),
        Wait("Shell> "),
        Type("setvar Kept -guid 11111111-2222-3333-4444-555555555555 -nv -bs =L\"over a reset\"\r"),
        Wait("Shell> "),
        Type("reset -c\r"),
        Wait("startup.nsh"),
        Type("\r"),
        Wait("Shell> "),
        Type("dmpstore Kept -guid 11111111-2222-3333-4444-555555555555\r"),
        Wait("Shell> "),
        Type("reset -s\r"),
    ],
    expectations: &[
        Never("stopped:"),
        Never("gets an abort:"),
        Sequence(&[
            "UEFI firmware",
            "UEFI Interactive Shell",
            "portcullis: edk2: reset",
            "UEFI firmware",
            "UEFI Interactive Shell",
            "*o.v.e.r. .a. .r.*",
            "*e.s.e.t.*",
        ]),
        Line("portcullis: edk2: off"),
    ],
    ..LINUX
};

/// U-Boot and EDK2 start a Debian from a disk by what they do by themselves. U-Boot besides pings a VM, and writes and reads a disk
/// that this one serves.
const BOOT_DISKS: Case = Case {
    name: "boot-disks",
    manifest: "boot-disks.toml",
    cores: 3,
    keys: &[
        // Before it looks for a key: what is there when it does keeps it from booting by itself.
        Wait("U-Boot 20"),
        Type("\x1d1\r"),
        Type("\r"),
        Wait("=> "),
        // By then the one that serves is at the network, and the machine may end with U-Boot's VM. A command takes what is typed
        // before it has ended for a wish to end it, and the prompt is shown again behind each line of another VM: hence the waits
        // for what commands say, and for the prompt behind it.
        Wait("portcullis: edk2: off"),
        Type("setenv ipaddr 10.0.0.1; ping 10.0.0.2\r"),
        Wait("is alive"),
        Wait("=> "),
        Type("virtio info\r"),
        Wait("Capacity: 8.0 MB"),
        Wait("=> "),
        Type("mw.l 50000000 c0ffee 400; virtio dev 1; virtio write 50000000 20 8\r"),
        Wait("8 blocks written: OK"),
        Wait("=> "),
        Type("mw.l 50000000 0 400; virtio read 50000000 20 8\r"),
        Wait("8 blocks read: OK"),
        Wait("=> "),
        Type("md.l 50000ff0 4\r"),
        Wait("00c0ffee 00c0ffee 00c0ffee 00c0ffee"),
        Wait("=> "),
        Type("boot\r"),
    ],
    expectations: &[
        NO_OOPS,
        Never("stopped:"),
        Never("needs a reset"),
        Sequence(&["BdsDxe: starting Boot0001", "Welcome to GRUB!", "EFI stub: Booting Linux Kernel..."]),
        Says("edk2", "links-check: ping=10.0.0.2 sent=5 received=5"),
        Says("edk2", "links-check: read=boot-grub device=/dev/vda bytes=50331648 read-only=1"),
        Line("portcullis: edk2: off"),
        Sequence(&[
            "=> setenv ipaddr",
            "host 10.0.0.2 is alive",
            "=> virtio info",
            "Capacity: 48.0 MB",
            "Capacity: 8.0 MB",
            "8 blocks written: OK",
            "8 blocks read: OK",
            "50000ff0: 00c0ffee 00c0ffee 00c0ffee 00c0ffee",
            "=> boot",
            "links-check: ping=10.0.0.2 sent=5 received=5",
            "links-check: read=boot-extlinux device=/dev/vda bytes=50331648 read-only=1",
            "portcullis: u-boot: off",
        ]),
    ],
    ..LINUX
};

/// The tests.
pub const CASES: &[Case] = &[U_BOOT, EDK2, BOOT_DISKS];
