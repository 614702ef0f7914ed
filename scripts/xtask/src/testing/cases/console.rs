//! The tests of the console: nothing that is typed is lost, and the escape key is always heard.
//!
//! The text is lines of eight bytes. Its first half comes as fast as the machine takes it, the second at the pace of a line
//! of 115,200 baud; each is 10 KiB.

use super::super::expectation::Expectation::{AtMost, Cases, Line, Never, Numbered, Stopped};
use super::case::{Case, LINUX};
use crate::board::{Board, Gic};
use crate::machine::script::LINE_RATE;
use crate::machine::script::Step::{self, Lines, Type, Wait};

const FAST: Step = Lines { before: "", numbers: 0..1280, rate: None };
const PACED: Step = Lines { before: "", numbers: 1280..2560, rate: Some(LINE_RATE) };
/// The second half without a pace: for a VM that does not read meanwhile.
const FAST_AGAIN: Step = Lines { before: "", numbers: 1280..2560, rate: None };

/// Into VMs that read slowly, in an odd order, on a shared core; and into one that is created, boots, and is paused.
const SLOW: Case = Case {
    name: "console",
    manifest: "console.toml",
    keys: &[
        // There is nobody to hear a key before.
        Wait("portcullis: spin: started"),
        Type("\x1d2"),
        FAST,
        PACED,
        Type("\x1d3"),
        FAST,
        PACED,
        Type("\x1d4"),
        FAST,
        PACED,
        Type("\x1d6"),
        FAST,
        Type("\x1d1start late\r\x1d0"),
        Wait("[late] typed: half"),
        Type("\x1d1pause late\r"),
        Wait("late: paused"),
        Type("\x1d6"),
        FAST_AGAIN,
        Type("\x1d1resume late\r"),
        Type("wait late stopped 60\rwait slow stopped 60\rwait lazy stopped 60\rwait turns stopped 60\r"),
        Type("stop spin\rexit\r"),
    ],
    expectations: &[Cases("slow"), Cases("lazy"), Cases("turns"), Cases("late"), Never("for it now is lost")],
    ..LINUX
};

/// The tests.
pub const CASES: &[Case] = &[
    SLOW,
    Case { name: "console-gicv2", gic: Gic::V2, ..SLOW },
    Case { name: "console-raspi4b", board: Board::Raspi4b, gic: Gic::V2, ..SLOW },
    // More than 10 KiB of commands each.
    Case {
        name: "console-ops",
        manifest: "console-ops.toml",
        cores: 1,
        keys: &[
            Wait("portcullis: ops: started"),
            Type("\x1d1"),
            Lines { before: "echo ", numbers: 0..800, rate: None },
            Lines { before: "echo ", numbers: 800..1600, rate: Some(LINE_RATE) },
            Type("exit\r"),
        ],
        expectations: &[Numbered(1600), Line("portcullis: ops: off")],
        ..LINUX
    },
    Case {
        name: "console-linux",
        manifest: "console-linux.toml",
        cores: 1,
        keys: &[Wait("paste-check: ready"), Type("\x1d1"), FAST, PACED],
        expectations: &[Line("paste-check: bytes=20480 md5=61772fddf5da2c5de3ad2a6131029eb2"), Never("Kernel panic")],
        ..LINUX
    },
    // The time is that of the instructions, 4 ns each: about two seconds.
    Case {
        name: "console-flood",
        manifest: "console-flood.toml",
        cpu: Some("cortex-a72,cntfrq=1000000000"),
        cores: 1,
        arguments: &["-icount", "shift=2,sleep=off"],
        expectations: &[
            Cases("loops"),
            Line("[loops] boot: 100"),
            AtMost(12, "portcullis: loops: reset"),
            Line("more lines were left out"),
            Stopped("faulty"),
            Line("portcullis: loops: off"),
        ],
        ..LINUX
    },
    // 64 KiB, of which most has no place; the escape key is behind them.
    Case {
        name: "console-deaf",
        manifest: "console-deaf.toml",
        cores: 1,
        keys: &[
            Wait("portcullis: deaf: started"),
            Type("\x1d1"),
            Lines { before: "", numbers: 0..8192, rate: None },
            Type("\x1dq"),
        ],
        expectations: &[
            Line("portcullis: deaf has read nothing, or hardly anything, for 2 s"),
            Line("power off, from the keyboard"),
        ],
        ..LINUX
    },
];
