//! Boot loaders built for QEMU's `virt` machine run as guests.

use super::super::expectation::Expectation::{Line, Never, Sequence};
use super::case::{Case, LINUX, NO_OOPS};
use crate::machine::script::Step::{Type, Wait};

/// U-Boot's prompt, what it knows of the machine, and a Debian kernel out of the VM's RAM disk (`guests/uboot.rs`), with the
/// tree that U-Boot was given.
const U_BOOT: Case = Case {
    name: "u-boot",
    manifest: "u-boot.toml",
    cores: 1,
    keys: &[
        Wait("Hit any key to stop autoboot"),
        Type("\x1d1\r"),
        // What comes while it runs its own boot commands is taken for a wish to end them.
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

/// The tests.
pub const CASES: &[Case] = &[U_BOOT];
