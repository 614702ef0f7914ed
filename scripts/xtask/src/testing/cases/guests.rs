//! Guests of ours that report their cases.

use super::super::expectation::Expectation::{
    Cases, Distinct, Line, Never, NoGuest, Sequence, Stopped, StoppedOrCases,
};
use super::case::{CONFORMANCE, Case, LINUX, PAUSE};
use crate::board::Gic;

const RESET: Case = Case {
    name: "reset",
    manifest: "reset.toml",
    expectations: &[Line("[reset] boot: 2"), Cases("reset"), Cases("storm"), Cases("neighbour")],
    ..LINUX
};
const ABORTS: Case = Case {
    name: "aborts",
    manifest: "aborts.toml",
    expectations: &[
        Cases("alone"),
        Cases("shares"),
        Cases("shares-too"),
        Line("alone vcpu 0: gets an abort: access outside memory and devices: pc 0x4"),
        Stopped("lost"),
        Line("lost vcpu 0: stopped: abort at the guest's own exception vector: pc 0xc0000200"),
        Line("before it came ESR_EL1 0x02000000 at ELR_EL1 0x4"),
        Cases("neighbour"),
    ],
    ..LINUX
};
const STEPS: Case = Case {
    name: "steps",
    manifest: "steps.toml",
    expectations: &[Cases("alone"), Cases("shares"), Cases("shares-too")],
    ..LINUX
};
/// Every life of `flash` boots twice; made anew, it has its flash as its files have it.
const FLASH: Case = Case {
    name: "flash",
    manifest: "flash.toml",
    expectations: &[
        Cases("ops"),
        Sequence(&["[flash] boot: 0", "[flash] boot: 1", "flash: created", "[flash] boot: 0", "[flash] boot: 1"]),
        Never("[flash] case flash/boot 0 mark: FAIL"),
        Cases("flash"),
        Cases("first"),
        Line(", device 17"),
        Cases("neighbour"),
    ],
    ..LINUX
};
/// What other hypervisors' tests ask of timers and interrupts (docs/peers.md). The time is that of the instructions, 64 ns each.
const PEERS: Case = Case {
    name: "peers",
    manifest: "peers.toml",
    cores: 5,
    arguments: &["-icount", "shift=6,sleep=off"],
    expectations: &[Cases("apart"), Cases("shares")],
    ..LINUX
};
/// Nobody finds what was in the board's RAM, and everybody finds after a reset what it left.
const SOILED: Case = Case {
    name: "soiled",
    manifest: "soiled.toml",
    soiled: true,
    expectations: &[
        Cases("alone"),
        Cases("shares"),
        Cases("shares-too"),
        Line("[alone] case fresh/boot 2 as it was left: ok"),
    ],
    ..LINUX
};
/// Each start has seeds of its own, behind RECREATE too, which leaves nothing of what was before.
const SEEDS: Case = Case {
    name: "seeds",
    manifest: "seeds.toml",
    cores: 2,
    expectations: &[
        Cases("ops"),
        Cases("seeded"),
        Distinct(4, "[seeded] kaslr-seed: "),
        Distinct(4, "[seeded] rng-seed: "),
    ],
    ..LINUX
};

/// VMs that are saved and restored. The time of day jumps by nothing else: it goes by the instructions, too.
const MOVING: Case = Case {
    name: "moving",
    manifest: "moving.toml",
    arguments: &["-icount", "shift=6,sleep=off", "-rtc", "base=2026-01-01,clock=vm"],
    expectations: &[Cases("ops"), Cases("moved"), Cases("asks"), Cases("answers"), Cases("disks"), Cases("banks")],
    ..PAUSE
};

/// A VM that is saved, made anew and restored behind each of its cases.
const MOVING_CASES: Case = Case {
    name: "moving-cases",
    manifest: "moving-cases.toml",
    expectations: &[Cases("ops"), Cases("moved")],
    ..MOVING
};

/// VMs that are shown another CPU than their cores, beside one that is not.
const SHOWN: Case = Case {
    name: "shown-cpu",
    manifest: "shown-cpu.toml",
    cpu: Some("cortex-a76"),
    cores: 2,
    expectations: &[
        Cases("both"),
        Cases("own"),
        Cases("old"),
        Cases("alone"),
        Line("both: is shown the CPU with MIDR_EL1 0x410fd083; fields in which its cores have more: "),
        Line("both: its core 0 has MIDR_EL1 0x414fd0b1, of which it is not told: "),
    ],
    ..LINUX
};

pub const CASES: &[Case] = &[
    CONFORMANCE,
    Case {
        name: "conformance-cortex-a72",
        manifest: "conformance-no-entropy.toml",
        cpu: Some("cortex-a72"),
        ..CONFORMANCE
    },
    // TRNG is asked for, and there is no entropy.
    Case {
        name: "conformance-that-the-board-lacks",
        cpu: Some("cortex-a72"),
        expectations: &[
            Line(
                "part: [vm.firmware]: STD: bits 0x1 are not supported here; the supported ones are 0x0: this board has no",
            ),
            NoGuest,
        ],
        ..CONFORMANCE
    },
    Case { name: "conformance-gicv2", manifest: "conformance-gicv2.toml", gic: Gic::V2, ..CONFORMANCE },
    Case { name: "reset-gicv2", gic: Gic::V2, ..RESET },
    SOILED,
    SEEDS,
    PEERS,
    Case { name: "peers-gicv2", manifest: "peers-gicv2.toml", gic: Gic::V2, ..PEERS },
    Case { name: "copies", manifest: "copies.toml", cores: 1, expectations: &[Cases("copies")], ..LINUX },
    PAUSE,
    Case { name: "pause-gicv2", gic: Gic::V2, ..PAUSE },
    SHOWN,
    Case { name: "shown-cpu-gicv2", gic: Gic::V2, ..SHOWN },
    // The index of its instruction caches is virtual.
    Case {
        name: "shown-cpu-that-the-board-lacks",
        cpu: Some("cortex-a35"),
        expectations: &[Line("both: the CPU that its `cpu` has it shown has 0x"), NoGuest],
        ..SHOWN
    },
    MOVING,
    Case { name: "moving-gicv2", gic: Gic::V2, ..MOVING },
    MOVING_CASES,
    Case { name: "moving-cases-gicv2", manifest: "moving-cases-gicv2.toml", gic: Gic::V2, ..MOVING_CASES },
    Case {
        name: "faults",
        manifest: "faults.toml",
        expectations: &[Stopped("abort"), Stopped("jump"), StoppedOrCases("mmio"), Cases("neighbour")],
        ..LINUX
    },
    ABORTS,
    Case { name: "aborts-gicv2", manifest: "aborts-gicv2.toml", gic: Gic::V2, ..ABORTS },
    Case { name: "aborts-cortex-a72", cpu: Some("cortex-a72"), ..ABORTS },
    STEPS,
    Case { name: "steps-gicv2", manifest: "steps-gicv2.toml", gic: Gic::V2, ..STEPS },
    Case { name: "steps-cortex-a72", cpu: Some("cortex-a72"), ..STEPS },
    FLASH,
    Case { name: "flash-gicv2", gic: Gic::V2, ..FLASH },
    Case {
        name: "garbage",
        manifest: "garbage.toml",
        expectations: &[Cases("open"), Cases("closed"), Cases("sysreg"), Cases("neighbour")],
        ..LINUX
    },
    Case {
        name: "sweep",
        manifest: "sweep.toml",
        expectations: &[Cases("all"), Cases("none"), Cases("hvc"), Cases("smc")],
        ..LINUX
    },
    RESET,
    Case {
        name: "placement",
        manifest: "placement.toml",
        expectations: &[Cases("load"), Cases("low"), Cases("small")],
        ..LINUX
    },
];
