//! The tests on QEMU's `raspi4b`: cores that spin, and cores that TF-A starts; what is wrong with a device tree.

use super::super::damage::Damage;
use super::super::expectation::Expectation::{self, All, Cases, Line, Never, NoGuest, Value};
use super::case::{CLOSED, CONFORMANCE, Case, DEMONSTRATION_SCRIPT, LINUX, NO_OOPS};
use crate::board::{Board, Gic};
use crate::defect::Defect;
use crate::el3::El3;

/// linux-a has what the board has: neither entropy nor, until somebody sets it, the time of day.
const OPEN: Expectation = All(&[
    NO_OOPS,
    Line("arm-pv: using stolen time PV"),
    Value("linux-a", "vendor", "yes"),
    Value("linux-a", "pv-time", "yes"),
    Value("linux-a", "trng", "no"),
    Value("linux-a", "ptp", "no"),
]);
/// TF-A says 54 MHz, as on the board, and QEMU's counter runs at 62.5 MHz.
const WRONG_RATE: Expectation = Line("counter: it runs at 62.5 MHz, and CNTFRQ_EL0 says 54.0 MHz");
const RIGHT_RATE: Expectation = Never("portcullis: counter: ");

const BOARD: Case = Case { board: Board::Raspi4b, gic: Gic::V2, ..LINUX };
const SPIN_TABLE: Case = Case { manifest: "conformance-raspi4b.toml", ..BOARD };
const BAD: Case = Case { el3: El3::TfA, ..SPIN_TABLE };

/// The tests.
pub const CASES: &[Case] = &[
    Case { name: "raspi4b-conformance", expectations: CONFORMANCE.expectations, ..SPIN_TABLE },
    Case { name: "raspi4b-tf-a-conformance", el3: El3::TfA, expectations: CONFORMANCE.expectations, ..SPIN_TABLE },
    Case { name: "raspi4b-linux", expectations: &[OPEN, Value("linux-a", "cpus", "2"), CLOSED, RIGHT_RATE], ..BOARD },
    Case {
        name: "raspi4b-tf-a-linux",
        el3: El3::TfA,
        expectations: &[OPEN, Value("linux-a", "cpus", "2"), CLOSED, WRONG_RATE],
        ..BOARD
    },
    Case {
        name: "raspi4b-demo",
        manifest: "demo-four-cores.toml",
        expectations: &[OPEN, DEMONSTRATION_SCRIPT, CLOSED],
        ..BOARD
    },
    Case {
        name: "raspi4b-time",
        manifest: "time.toml",
        expectations: &[NO_OOPS, Value("early", "ptp", "no"), Value("late", "ptp", "yes"), Cases("alarmed")],
        ..BOARD
    },
    Case {
        name: "raspi4b-no-time",
        manifest: "no-time.toml",
        damage: Some(Damage::OtherBoard),
        halts: Some("nothing was started"),
        expectations: &[
            Line("vm asks for a real-time clock (rtc = true), and this board does not know the time; leave rtc out"),
            NoGuest,
        ],
        ..BOARD
    },
    Case {
        name: "raspi4b-no-tree",
        el3: El3::None,
        defect: Some(Defect::NoTree),
        halts: Some("nothing was started"),
        expectations: &[Line("there is no device tree, but a list of ATAGs at 0x100"), NoGuest],
        ..BAD
    },
    Case {
        name: "raspi4b-no-memory",
        defect: Some(Defect::NoMemory),
        halts: Some("nothing was started"),
        expectations: &[Line("device tree: the device tree has no enabled memory"), NoGuest],
        ..BAD
    },
    Case {
        name: "raspi4b-absent-device",
        defect: Some(Defect::AbsentDevice),
        halts: Some("nothing was started"),
        expectations: &[Line("the device tree lists an RNG200 at 0xfe104000, where nothing answers"), NoGuest],
        ..BAD
    },
    Case {
        name: "raspi4b-little-memory",
        defect: Some(Defect::LittleMemory),
        halts: Some("nothing was started"),
        expectations: &[Line("reaches beyond the RAM that the device tree tells of"), NoGuest],
        ..BAD
    },
    Case {
        name: "raspi4b-absent-core",
        defect: Some(Defect::AbsentCore),
        expectations: &[Line("part has core 3, which does not start: code -2 of PSCI's"), NoGuest],
        ..BAD
    },
    Case {
        name: "raspi4b-fewer-cores",
        defect: Some(Defect::FewerCores),
        expectations: &[Line("part wants core 3; this board has cores 0 to 2: nothing was started"), NoGuest],
        ..BAD
    },
];
