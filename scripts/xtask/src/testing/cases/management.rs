//! What the control VM does with the others.

use super::super::expectation::Expectation::{self, Cases, Line, Sequence, Stopped};
use super::case::{Case, LINUX, NO_OOPS};

/// One Linux guest started with nothing, with TRNG alone, and audited: its drivers follow each time.
const MANAGED_LINUX: &[Expectation] = &[
    NO_OOPS,
    Cases("ops"),
    Sequence(&[
        "ops> start linux",
        "[linux] firmware-check: vendor=no",
        "[linux] firmware-check: trng=no",
        "[linux] firmware-check: pv-time=no",
        "[linux] firmware-check: ptp=no",
        "ops> recreate linux",
        "ops> set linux std trng",
        "ops> start linux",
        "[linux] firmware-check: vendor=no",
        "[linux] firmware-check: trng=yes rng_current=smccc_trng",
        "[linux] firmware-check: pv-time=no",
        "[linux] firmware-check: ptp=no",
        "ops> recreate linux",
        "ops> audit linux on",
        "ops> start linux",
        "[linux] firmware-check: vendor=yes",
        "[linux] firmware-check: trng=yes rng_current=smccc_trng",
        "[linux] firmware-check: pv-time=yes",
        "[linux] firmware-check: ptp=yes",
        "ops> audit linux",
        "[vm.firmware]",
        "std = [\"trng\"]",
        "std-hyp = [\"pv-time\"]",
        "vendor-hyp = [\"func-feat\", \"ptp\"]",
        "psci = \"",
    ]),
];

pub const CASES: &[Case] = &[
    Case {
        name: "manage-cost",
        manifest: "manage-cost.toml",
        cpu: Some("cortex-a72,cntfrq=1000000000"),
        cores: 2,
        arguments: &["-icount", "shift=0,sleep=off"],
        expectations: &[Cases("ruler")],
        ..LINUX
    },
    Case {
        name: "manage-registers",
        manifest: "manage-registers.toml",
        cores: 7,
        expectations: &[
            Cases("ops"),
            Cases("closed"),
            Cases("open"),
            Cases("filtered"),
            Cases("mixed"),
            Stopped("faulty"),
            Line("faulty failed: access outside memory and devices: vCPU 0, pc 0x4"),
        ],
        ..LINUX
    },
    Case {
        name: "manage-cycles",
        manifest: "manage-cycles.toml",
        expectations: &[Cases("ops"), Cases("neighbour")],
        ..LINUX
    },
    Case { name: "manage-fuzz", manifest: "manage-fuzz.toml", expectations: &[Cases("ops"), Cases("guest")], ..LINUX },
    Case { name: "manage-linux", manifest: "manage-linux.toml", expectations: MANAGED_LINUX, ..LINUX },
];
