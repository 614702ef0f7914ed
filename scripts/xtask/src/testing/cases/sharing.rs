//! The tests of cores that several vCPUs share.

use super::super::damage::{Damage, Wrong};
use super::super::expectation::Expectation::{Cases, Line, NoGuest, Sequence, Stolen, Stopped, StoppedOrCases};
use super::case::{CONFORMANCE, Case, LINUX, NO_OOPS, PAUSE};
use crate::board::{Board, Gic};

/// Three VMs whose four vCPUs have two cores, of a CPU with all that QEMU knows: pointer authentication, deferred errors. That
/// of `raspi4b` has neither.
const SHARED: Case = Case { manifest: "shared-conformance.toml", cores: 2, ..CONFORMANCE };

/// Three VMs whose four vCPUs fill every register on one core, and reset themselves meanwhile.
const LEAK: Case = Case {
    manifest: "shared-leak.toml",
    cores: 1,
    expectations: &[Cases("first"), Cases("second"), Cases("third")],
    ..LINUX
};

/// A device of the board whose interrupts come while any vCPU has the core.
const DEVICE: Case = Case {
    manifest: "shared-device.toml",
    cores: 1,
    arguments: &["-serial", "null"],
    expectations: &[Cases("driver"), Cases("abort")],
    ..LINUX
};

/// Four vCPUs and a busy neighbour on one core. The time is that of the instructions, 4 ns each, and a machine that waits
/// skips it: nothing but sharing makes the counter jump.
const STEAL: Case = Case {
    manifest: "shared-steal.toml",
    cpu: Some("cortex-a72,cntfrq=1000000000"),
    cores: 1,
    arguments: &["-icount", "shift=2,sleep=off"],
    expectations: &[Cases("starved"), Cases("neighbour")],
    ..LINUX
};

/// A core with a cyclic schedule.
const WINDOWS: Case = Case {
    manifest: "shared-windows.toml",
    cores: 2,
    expectations: &[Cases("first"), Cases("second"), Cases("third")],
    ..LINUX
};

/// A VM that is paused beside a busy neighbour.
const SHARED_PAUSE: Case = Case {
    name: "shared-pause",
    manifest: "shared-pause.toml",
    cores: 1,
    expectations: &[Cases("ops"), Cases("held"), Cases("neighbour")],
    ..PAUSE
};

/// The tests.
pub const CASES: &[Case] = &[
    Case { name: "shared-conformance", ..SHARED },
    Case {
        name: "shared-load",
        manifest: "shared-load.toml",
        // Time is the machine's own: on a host that has no core for it, a guest's account and the hypervisor's would not be of the
        // same moments.
        arguments: &["-icount", "shift=3,sleep=off"],
        expectations: &[NO_OOPS, Stolen(["linux-a", "linux-b"], "linux-c")],
        ..LINUX
    },
    Case { name: "shared-conformance-gicv2", manifest: "shared-conformance-gicv2.toml", gic: Gic::V2, ..SHARED },
    Case {
        name: "shared-conformance-raspi4b",
        board: Board::Raspi4b,
        manifest: "shared-conformance-raspi4b.toml",
        cores: 4,
        gic: Gic::V2,
        ..SHARED
    },
    Case {
        name: "shared-eight",
        manifest: "shared-eight.toml",
        cores: 1,
        expectations: &[
            Cases("one"),
            Cases("two"),
            Cases("three"),
            Cases("four"),
            Cases("five"),
            Cases("six"),
            Cases("seven"),
            Cases("eight"),
        ],
        ..LINUX
    },
    Case {
        name: "shared-core",
        manifest: "shared-core.toml",
        cores: 2,
        expectations: &[Cases("pair"), Cases("other")],
        ..LINUX
    },
    Case {
        name: "shared-floods",
        manifest: "shared-floods.toml",
        cores: 1,
        expectations: &[Cases("floods"), Line("[reset] boot: 60"), Cases("reset")],
        ..LINUX
    },
    Case { name: "shared-leak", ..LEAK },
    Case { name: "shared-leak-gicv2", gic: Gic::V2, ..LEAK },
    // No keys, six breakpoints.
    Case { name: "shared-leak-cortex-a72", cpu: Some("cortex-a72"), ..LEAK },
    Case { name: "shared-steal", ..STEAL },
    // Twelve days of waiting, and a time limit that a million million instructions exceed by far.
    Case {
        name: "shared-idle",
        manifest: "shared-idle.toml",
        cores: 2,
        expectations: &[Cases("first"), Cases("second"), Cases("third"), Cases("alone")],
        ..STEAL
    },
    SHARED_PAUSE,
    Case { name: "shared-pause-gicv2", gic: Gic::V2, ..SHARED_PAUSE },
    Case {
        name: "shared-hostile",
        manifest: "shared-hostile.toml",
        cores: 1,
        expectations: &[
            Cases("victim"),
            Cases("spin"),
            Cases("waits"),
            Cases("signals"),
            Cases("alarms"),
            Cases("calls"),
            Cases("accesses"),
        ],
        ..LINUX
    },
    Case { name: "shared-device", ..DEVICE },
    Case { name: "shared-device-gicv2", gic: Gic::V2, ..DEVICE },
    Case { name: "shared-leak-raspi4b", board: Board::Raspi4b, cores: 4, gic: Gic::V2, ..LEAK },
    Case {
        name: "shared-faults",
        manifest: "shared-faults.toml",
        cores: 1,
        expectations: &[Stopped("abort"), Stopped("jump"), StoppedOrCases("mmio"), Cases("neighbour")],
        ..LINUX
    },
    Case {
        name: "shared-reset",
        manifest: "shared-reset.toml",
        cores: 2,
        expectations: &[Line("[reset] boot: 40"), Cases("reset"), Cases("storm"), Cases("neighbour")],
        ..LINUX
    },
    Case {
        name: "shared-cycles",
        manifest: "shared-cycles.toml",
        cores: 2,
        expectations: &[Cases("ops"), Cases("neighbour")],
        ..LINUX
    },
    Case {
        name: "shared-fuzz",
        manifest: "shared-fuzz.toml",
        cores: 1,
        expectations: &[Cases("ops"), Cases("guest")],
        ..LINUX
    },
    Case {
        name: "shared-linux",
        manifest: "shared-linux.toml",
        cores: 2,
        expectations: &[
            NO_OOPS,
            Cases("ops"),
            Sequence(&[
                "ops> resume linux",
                "[linux] firmware-check: vendor=no",
                "[linux] firmware-check: pv-time=no",
                "ops> recreate linux",
                "[linux] firmware-check: vendor=yes",
                "[linux] firmware-check: pv-time=yes",
            ]),
        ],
        ..LINUX
    },
    Case { name: "shared-windows", ..WINDOWS },
    Case {
        name: "shared-background",
        manifest: "shared-background.toml",
        cores: 2,
        expectations: &[Cases("ops"), Cases("owner")],
        ..LINUX
    },
    Case {
        name: "shared-held",
        manifest: "shared-held.toml",
        cores: 2,
        expectations: &[Cases("ops"), Cases("guest"), Cases("owner")],
        ..LINUX
    },
    Case {
        name: "damaged-windows-overlap",
        damage: Some(Damage::Windows(Wrong::Overlap)),
        expectations: &[
            Line("core@0: window 1 starts at 3999us, but the one before it ends at 4ms; windows stand in the order"),
            NoGuest,
        ],
        ..WINDOWS
    },
    Case {
        name: "damaged-windows-zero",
        damage: Some(Damage::Windows(Wrong::Zero)),
        expectations: &[Line("core@0: window 1: a window of 0us; a window is 100us to 1s"), NoGuest],
        ..WINDOWS
    },
    Case {
        name: "damaged-windows-beyond",
        damage: Some(Damage::Windows(Wrong::Beyond)),
        expectations: &[
            Line("core@0: window 1 ends at 10001us, but the frame at 10ms; make the frame longer"),
            NoGuest,
        ],
        ..WINDOWS
    },
    Case {
        name: "damaged-windows-vm",
        damage: Some(Damage::Windows(Wrong::Vm)),
        expectations: &[Line("core@0: vm@2 is named; only VMs with a vCPU on this core can be"), NoGuest],
        ..WINDOWS
    },
];
