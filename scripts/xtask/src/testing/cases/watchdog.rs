//! The tests of the watchdog.

use super::super::expectation::Expectation::{Cases, Distinct, Line, Never, Sequence};
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::Gic;

/// Watchdogs that bite, two of three VMs start again by themselves. A machine that waits skips the time.
const WATCHDOG: Case = Case {
    name: "watchdog",
    manifest: "watchdog.toml",
    cores: 6,
    arguments: &["-icount", "shift=5,sleep=off"],
    expectations: &[
        Cases("ops"),
        Cases("alone"),
        Cases("shares"),
        Cases("bare"),
        Cases("plain"),
        Cases("neighbour"),
        Sequence(&[
            "[alone] life: 0",
            "[alone] still here after",
            "alone vcpu 0: stopped: watchdog: not petted in time: pc 0x4",
            "alone: failed, starts again",
            "[alone] life: 1",
            "[alone] still here after",
            "alone vcpu 1: stopped: watchdog: not petted in time: pc 0x0",
            "[alone] life: 2",
            "alone: reset",
            "[alone] life: 3",
        ]),
        Sequence(&[
            "[shares] still here after",
            "shares vcpu 0: stopped: watchdog: not petted in time: pc 0x4",
            "[shares] life: 1",
            "shares vcpu 1: stopped: watchdog: not petted in time: pc 0x0",
            "[shares] life: 3",
        ]),
        Line("hung failed: watchdog: vCPU 0, pc 0x4"),
        Never("hung: failed, starts again"),
    ],
    ..LINUX
};
/// Debian's driver of it: who pets is killed, in both lives.
const WATCHDOG_LINUX: Case = Case {
    name: "watchdog-linux",
    manifest: "watchdog-linux.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Sequence(&[
            "[linux] watchdog-check: identity=\"arm_smc_wdt\" state=inactive max=30",
            "[linux] watchdog-check: state=active timeout=4 left=",
            "[linux] watchdog-check: killed",
            "stopped: watchdog: not petted in time",
            "linux: failed, starts again",
            "[linux] watchdog-check: identity=\"arm_smc_wdt\" state=inactive max=30",
            "[linux] watchdog-check: state=active timeout=4 left=",
            "[linux] watchdog-check: killed",
            "stopped: watchdog: not petted in time",
            "no VM is running any more (1 failed): power off",
        ]),
        Never("watchdog-check: still here"),
        // Each start has seeds of its own.
        Distinct(2, "watchdog-check: kernel="),
    ],
    ..LINUX
};

/// Both GICs, and the newest kernel.
pub const CASES: &[Case] = &[
    WATCHDOG,
    Case { name: "watchdog-gicv2", gic: Gic::V2, ..WATCHDOG },
    WATCHDOG_LINUX,
    Case { name: "watchdog-linux-gicv2", gic: Gic::V2, ..WATCHDOG_LINUX },
    Case { name: "watchdog-linux-7", manifest: "watchdog-linux-7.toml", ..WATCHDOG_LINUX },
];
