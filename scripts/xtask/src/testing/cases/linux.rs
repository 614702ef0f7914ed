//! Debian's kernels.

use super::super::expectation::Expectation::{self, Cases, Line, Never, Sequence, Value};
use super::case::{
    BUS_ERROR, CLOSED, Case, DEMONSTRATION_SCRIPT, FOUND, LINUX, NO_ENTROPY_SOURCE, NO_OOPS, OPEN, RANDOM,
};
use crate::board::Gic;

/// The control VM gives one Linux guest every service and the other none.
const DEMONSTRATION: &[Expectation] = &[NO_OOPS, DEMONSTRATION_SCRIPT, OPEN, RANDOM, CLOSED];
/// What a Linux' system calls take without and with KPTI, which a KASLR seed brings about. The time is that of the instructions.
const KPTI: Case = Case {
    name: "kpti-cortex-a53",
    manifest: "kpti.toml",
    cpu: Some("cortex-a53"),
    cores: 2,
    arguments: &["-icount", "shift=0,sleep=off"],
    expectations: &[
        NO_OOPS,
        Cases("ops"),
        Sequence(&["[off] syscall-check: kpti=no calls=", "[on] syscall-check: kpti=yes calls="]),
    ],
    ..LINUX
};

pub const CASES: &[Case] = &[
    Case { name: "linux-gicv2", gic: Gic::V2, ..LINUX },
    KPTI,
    Case { name: "kpti-cortex-a72", cpu: Some("cortex-a72"), ..KPTI },
    // Both of its CPUs are busy when it is paused, for twice as long as its kernel lets one be without a word.
    Case {
        name: "pause-linux",
        manifest: "pause-linux.toml",
        cores: 3,
        arguments: &["-icount", "shift=4,sleep=off"],
        expectations: &[
            NO_OOPS,
            Never("soft lockup"),
            Never("rcu: INFO"),
            Sequence(&["[linux-a] load-check: before", "ops> resume linux-a", "[linux-a] load-check: after busy="]),
        ],
        ..LINUX
    },
    LINUX,
    Case { name: "demo", manifest: "demo.toml", cores: 5, expectations: DEMONSTRATION, ..LINUX },
    Case { name: "linux-6.1", manifest: "debian-6.1.toml", ..LINUX },
    Case { name: "linux-7", manifest: "debian-7.toml", ..LINUX },
    // What Linux asks only where it is shown SMCCC 1.2, or the bits of VENDOR_HYP_2.
    Case {
        name: "linux-7-told",
        manifest: "debian-7-told.toml",
        cores: 3,
        expectations: &[
            NO_OOPS,
            Line("smccc: KVM: Number of target implementation CPUs is 2"),
            Value("linux-a", "implementations", "2"),
            Value("linux-a", "smccc", "1.2"),
            Value("linux-a", "soc", "jep106:043b:0102"),
            Value("linux-a", "revision", "0x00000010"),
            Value("linux-b", "smccc", "1.1"),
            Value("linux-b", "vendor", "yes"),
            Never("[linux-b] firmware-check: implementations="),
            Never("[linux-b] firmware-check: soc="),
        ],
        ..LINUX
    },
    Case {
        name: "linux-16k",
        manifest: "debian-16k.toml",
        cores: 2,
        expectations: &[
            NO_OOPS,
            FOUND,
            OPEN,
            RANDOM,
            BUS_ERROR,
            Value("linux-a", "pages", "16384"),
            Value("linux-a", "rtc_name", "rtc-pl031 9010000.pl031"),
        ],
        ..LINUX
    },
    Case { name: "linux-cortex-a72", cpu: Some("cortex-a72"), expectations: NO_ENTROPY_SOURCE, ..LINUX },
];
