//! The tests on boards that people partition, as far as QEMU has them: Xilinx' ZCU102 and Versal.

use super::super::expectation::Expectation::{self, All, Line, Value};
use super::case::{CLOSED, CONFORMANCE, Case, LINUX, NO_OOPS, OPEN};
use super::passthrough::DRIVEN;
use crate::board::{Board, Gic};

const ZCU102: Case = Case { board: Board::Zcu102, gic: Gic::V2, ..LINUX };
const VERSAL: Case = Case { board: Board::Versal, cores: 2, ..LINUX };

/// The board is known by its name, and its clock by its.
const ZCU102_SAYS: Expectation = All(&[
    Line("portcullis: Portcullis 0.1.0 on xlnx,zynqmp-zcu102-rev1.0: 4 cores, 2048 MiB"),
    Line("time of day: ZynqMP RTC and counter"),
]);
const VERSAL_SAYS: Expectation = All(&[
    Line("portcullis: Portcullis 0.1.0 on xlnx-versal-virt: 2 cores, 2048 MiB"),
    Line("time of day: ZynqMP RTC and counter"),
]);
/// linux-a has all but TRNG, for which these boards have no source; it also knows the date. linux-b has no service.
const TWO_DOORS: &[Expectation] = &[NO_OOPS, OPEN, Value("linux-a", "trng", "no"), CLOSED];

/// The tests.
pub const CASES: &[Case] = &[
    Case {
        name: "zcu102-conformance",
        manifest: "conformance-gicv2-no-entropy.toml",
        expectations: &[ZCU102_SAYS, All(CONFORMANCE.expectations)],
        ..ZCU102
    },
    Case { name: "zcu102-linux", expectations: &[ZCU102_SAYS, All(TWO_DOORS)], ..ZCU102 },
    Case {
        name: "zcu102-passthrough",
        manifest: "device-zcu102.toml",
        expectations: &[DRIVEN, Line("driver: has /axi/serial@ff010000 at 0xff010000, interrupts [54]")],
        ..ZCU102
    },
    Case {
        name: "versal-conformance",
        manifest: "shared-conformance-no-entropy.toml",
        expectations: &[VERSAL_SAYS, All(CONFORMANCE.expectations)],
        ..VERSAL
    },
    Case {
        name: "versal-linux",
        manifest: "linux-two-cores.toml",
        expectations: &[VERSAL_SAYS, All(TWO_DOORS)],
        ..VERSAL
    },
    Case {
        name: "versal-passthrough",
        manifest: "device-versal.toml",
        expectations: &[DRIVEN, Line("driver: has /uart@ff010000 at 0xff010000, interrupts [51]")],
        ..VERSAL
    },
];
