//! The tests of PSCI where vCPUs and VMs go on and off.

use super::super::expectation::Expectation::{Cases, Line, Sequence};
use super::case::{Case, LINUX};
use crate::board::Gic;

/// Every vCPU at once. Each of four boots ends by another form of SYSTEM_OFF2.
const PSCI: Case = Case {
    name: "psci",
    manifest: "psci.toml",
    cores: 6,
    expectations: &[
        Cases("ops"),
        Cases("alone"),
        Cases("shares"),
        Sequence(&[
            "[alone] boot: 0",
            "[alone] boot: 1",
            "[alone] boot: 2",
            "[alone] boot: 3",
            "portcullis: alone: off",
        ]),
        Sequence(&["[shares] boot: 3", "portcullis: shares: off"]),
    ],
    ..LINUX
};

/// A VM that sleeps until one thing after the other wakes it, managers among them. The time is that of the instructions, 64 ns each,
/// and a machine that waits skips it.
const SUSPEND: Case = Case {
    name: "suspend",
    manifest: "suspend.toml",
    arguments: &["-icount", "shift=6,sleep=off"],
    expectations: &[
        Cases("ops"),
        Cases("alone"),
        Cases("shares"),
        Sequence(&["portcullis: alone: suspended", "portcullis: alone: awake"]),
        // As `vms` shows it.
        Line("alone   suspended  1 of 2"),
    ],
    ..LINUX
};

/// The tests.
pub const CASES: &[Case] = &[
    PSCI,
    Case { name: "psci-gicv2", manifest: "psci-gicv2.toml", gic: Gic::V2, ..PSCI },
    SUSPEND,
    Case { name: "suspend-gicv2", manifest: "suspend-gicv2.toml", gic: Gic::V2, ..SUSPEND },
];
