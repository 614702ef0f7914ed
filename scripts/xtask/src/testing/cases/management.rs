//! What the control VM does with the others.

use super::super::expectation::Expectation::{self, Cases, Line, Never, Says, Screen, Sequence, Stopped, Trace, Value};
use super::super::perfetto::Slice;
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::Gic;

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

/// A stock Debian guest is the control VM: by the program `portcullis` it lists VMs, reads and sets a register, and starts, waits
/// for and stops a VM, which has what it was given; what is not possible has an exit status of its own.
const CONTROLS_LINUX: &[Expectation] = &[
    NO_OOPS,
    Sequence(&[
        "controls-check: $ portcullis vms",
        "controls-check: 0   linux  running  1 of 1    0      384 MiB  0         control",
        "controls-check: 1   guest  created  0 of 1    1      4 MiB    0",
        "controls-check: status=0",
        "controls-check: $ portcullis get guest std",
        "controls-check: std = 0x1 (trng)",
        "controls-check: status=0",
        "controls-check: $ portcullis set guest std none",
        "controls-check: std = 0x0 (none)",
        "controls-check: status=0",
        "controls-check: $ portcullis get guest std",
        "controls-check: std = 0x0 (none)",
        "controls-check: $ portcullis start guest",
        "portcullis: guest: started with STD 0x0, ",
        "controls-check: guest is running",
        "controls-check: status=0",
        "controls-check: $ portcullis set guest std all",
        "controls-check: portcullis: FROZEN: ",
        "controls-check: status=9",
        "controls-check: $ portcullis wait guest running 20",
        "controls-check: guest is running",
        "controls-check: status=0",
        "controls-check: $ portcullis stop guest",
        "controls-check: guest is stopped",
        "controls-check: status=0",
        "controls-check: $ portcullis wait guest stopped 20",
        "controls-check: status=0",
        "controls-check: trace status=0",
        " records of guest, 0 lost: /trace, which https://ui.perfetto.dev opens",
        "controls-check: $ portcullis trace off",
        "controls-check: portcullis: BAD_STATE: no trace is on",
        "controls-check: status=9",
        "controls-check: $ portcullis trace --out /none/trace",
        "controls-check: portcullis: /none/trace cannot be written: No such file or directory",
        "controls-check: status=1",
        "controls-check: $ portcullis logs guest",
        "controls-check: case call hvc TRNG_VERSION is not-supported: ok",
        "controls-check: status=0",
        "controls-check: $ portcullis --json get guest std",
        "\"names\":\"none\",\"register\":\"std\",\"value\":0}",
        "controls-check: status=0",
        "controls-check: $ portcullis stop guestx",
        "controls-check: portcullis: no VM is called \"guestx\", did you mean \"guest\"? There are linux, guest",
        "controls-check: status=8",
        "controls-check: $ portcullis get zzz std",
        "controls-check: portcullis: no VM is called \"zzz\". There are linux, guest",
        "controls-check: status=8",
        "controls-check: $ portcullis wait guest running 0.5",
        "controls-check: status=12",
        "controls-check: $ portcullis vms",
        "controls-check: 1   guest  stopped",
        "controls-check: status=0",
        "controls-check: watch: linux: running",
        "controls-check: watch: guest: created",
        "controls-check: watch: guest: created -> running",
        "controls-check: watch: guest: running -> stopped",
        "controls-check: done",
    ]),
    Says("guest", "case call hvc TRNG_VERSION is not-supported: ok"),
    Says("guest", "case call smc TRNG_VERSION is not-supported: ok"),
    Line("controls-check: beside: portcullis: BAD_STATE: a trace is on; `trace off` ends it"),
    Trace(
        "linux",
        &[
            Slice { track: "core 1", name: "guest vCPU 0", about: &[] },
            Slice { track: "guest vCPU 0", name: "on core 1", about: &[] },
            Slice { track: "core 1", name: "exit uart", about: &[] },
            Slice { track: "guest vCPU 0", name: "exit gic", about: &[] },
            Slice {
                track: "guest vCPU 0",
                name: "call TRNG_VERSION",
                about: &[("verdict", "refused"), ("conduit", "hvc")],
            },
            Slice { track: "core 1", name: "call TRNG_VERSION", about: &[("verdict", "refused"), ("conduit", "smc")] },
        ],
    ),
];

/// A stock Debian guest gives one VM every firmware service and another one none, and starts both.
const LINUX_CONTROL: &[Expectation] = &[
    NO_OOPS,
    Sequence(&[
        "controls-check: $ portcullis set open vendor-hyp all",
        "controls-check: $ portcullis clear closed",
        "controls-check: every bitmap register of closed is clear",
        "controls-check: $ portcullis start open",
        "portcullis: open: started with STD 0x1, STD_HYP 0x1, VENDOR_HYP 0x3, ",
        "controls-check: $ portcullis start closed",
        "portcullis: closed: started with STD 0x0, STD_HYP 0x0, VENDOR_HYP 0x0, ",
        "controls-check: $ portcullis wait closed stopped 600",
        "controls-check: status=0",
        "controls-check: $ portcullis stats open",
        "controls-check: trng ",
        "controls-check: done",
    ]),
    Value("open", "vendor", "yes"),
    Value("open", "trng", "yes"),
    Value("open", "pv-time", "yes"),
    Value("open", "ptp", "yes"),
    Value("closed", "vendor", "no"),
    Value("closed", "trng", "no"),
    Value("closed", "pv-time", "no"),
    Value("closed", "ptp", "no"),
];
/// What tests the calls by HVC, by the port of a stock Debian guest; a full screen beside other commands; a port that is busy.
const CONTROLS_TESTS: &[Expectation] = &[
    NO_OOPS,
    Sequence(&[
        "controls-check: top status=0",
        "controls-check: beside=enough",
        "controls-check: $ portcullis vms --wait 0.2",
        "controls-check: portcullis: the port is busy: process ",
        "controls-check: status=4",
        "controls-check: metrics=36",
        "controls-check: done",
    ]),
    Never("controls-check: error: "),
    Screen(
        "linux",
        &[
            "portcullis top: 8 VMs, ",
            " 0 linux            running",
            " 1 subject          created",
            "linux:",
            "management",
            "interrupt",
            "Tab links  ? help  q quit",
        ],
    ),
    Cases("linux"),
    Cases("guest"),
    Cases("closed"),
    Cases("open"),
    Cases("filtered"),
    Stopped("faulty"),
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
    Case {
        name: "linux-control",
        manifest: "linux-control.toml",
        cores: 3,
        manager: true,
        expectations: LINUX_CONTROL,
        ..LINUX
    },
    Case {
        name: "controls-tests",
        manifest: "controls-tests.toml",
        cores: 3,
        manager: true,
        expectations: CONTROLS_TESTS,
        ..LINUX
    },
    Case {
        name: "controls-linux-gicv2",
        manifest: "controls-linux.toml",
        cores: 2,
        gic: Gic::V2,
        manager: true,
        expectations: CONTROLS_LINUX,
        ..LINUX
    },
    Case {
        name: "controls-linux",
        manifest: "controls-linux.toml",
        cores: 2,
        manager: true,
        expectations: CONTROLS_LINUX,
        ..LINUX
    },
];
