//! The tests of PSCI where vCPUs and VMs go on and off.

use super::super::expectation::Expectation::{Cases, Line, Never, Sequence};
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::Gic;
use crate::defect::Defect;
use crate::machine::script::Step::{Type, Wait};

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
        Sequence(&["[shares] boot: 3", "portcullis: shares: hibernates", "portcullis: shares: off"]),
    ],
    ..LINUX
};

/// A VM that sleeps until one thing after the other wakes it, managers among them. The time is that of the instructions, 64 ns
/// each, and a machine that waits skips it.
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

/// A VM that sleeps until something from outside wakes it: the board's clock, which it drives itself, and whoever types.
const SUSPEND_OUTSIDE: Case = Case {
    name: "suspend-outside",
    manifest: "suspend-outside.toml",
    cores: 2,
    defect: Some(Defect::DisguisedClock),
    keys: &[
        Wait("[sleeper] suspend: sleeps until a key is typed"),
        Wait("portcullis: sleeper: suspended"),
        // Its lines have its name again behind that.
        Type("\x1d1k\x1d0"),
    ],
    expectations: &[
        Cases("sleeper"),
        Sequence(&[
            "sleeper: has /pl031@9010000 at 0x9010000, interrupts [34]",
            "portcullis: sleeper: suspended",
            "portcullis: sleeper: awake",
            "suspend: sleeps until a key is typed",
            "portcullis: sleeper: suspended",
            "portcullis: sleeper: awake",
        ]),
    ],
    ..LINUX
};

/// A Linux that suspends to RAM, with all that is its own: a key wakes it, then the alarm of its real-time clock.
const SUSPEND_LINUX: Case = Case {
    name: "suspend-linux",
    manifest: "suspend-linux.toml",
    cores: 2,
    keys: &[Wait("portcullis: linux: suspended"), Type("\x1d1x")],
    expectations: &[
        NO_OOPS,
        Sequence(&[
            "[linux] suspend-check: modes=\"s2idle [deep]\" clock=enabled",
            "portcullis: linux: suspended",
            "portcullis: linux: awake",
            "suspend-check: key status=0 cpus=2 times=1",
            "portcullis: linux: suspended",
            "portcullis: linux: awake",
            "suspend-check: clock status=0 slept=enough cpus=2 times=2",
            "portcullis: linux: off",
        ]),
    ],
    ..LINUX
};

/// The same, which then has rtcwake do it, as whoever uses it would.
const RTCWAKE: Case = Case {
    expectations: &[
        NO_OOPS,
        Sequence(&[
            "suspend-check: key status=0 cpus=2 times=1",
            "suspend-check: clock status=0 slept=enough cpus=2 times=2",
            "rtcwake: wakeup from \"mem\" using /dev/rtc0 at ",
            "portcullis: linux: suspended",
            "portcullis: linux: awake",
            "suspend-check: rtcwake status=0 slept=enough cpus=2 times=3",
            "portcullis: linux: off",
        ]),
    ],
    ..SUSPEND_LINUX
};

/// The tests.
pub const CASES: &[Case] = &[
    PSCI,
    Case { name: "psci-gicv2", manifest: "psci-gicv2.toml", gic: Gic::V2, ..PSCI },
    SUSPEND,
    Case { name: "suspend-gicv2", manifest: "suspend-gicv2.toml", gic: Gic::V2, ..SUSPEND },
    SUSPEND_OUTSIDE,
    Case { name: "suspend-outside-gicv2", gic: Gic::V2, ..SUSPEND_OUTSIDE },
    RTCWAKE,
    Case {
        name: "suspend-linux-gicv2",
        manifest: "suspend-linux-shared.toml",
        cores: 1,
        gic: Gic::V2,
        ..SUSPEND_LINUX
    },
    Case { name: "suspend-linux-7", manifest: "suspend-linux-7.toml", ..SUSPEND_LINUX },
    // All that is left of a Linux that hibernates is how it went off.
    Case {
        name: "hibernate-linux-7",
        manifest: "hibernate-linux-7.toml",
        cores: 2,
        expectations: &[
            NO_OOPS,
            Sequence(&[
                "[linux] hibernate-check: modes=\"[shutdown] ",
                "PM: Image saving done",
                "portcullis: linux: hibernates",
                "portcullis: linux: off",
            ]),
            Never("hibernate-check: still here"),
        ],
        ..LINUX
    },
];
