//! The tests in QEMU.

mod boards;
mod boot_loader;
pub mod case;
mod console;
mod firmware;
mod links;
mod loaders;
mod passthrough;
mod power;
mod raspberry_pi;
mod sharing;
mod speculation;
mod watchdog;

use self::case::{
    BUS_ERROR, CLOSED, CONFORMANCE, Case, DEMONSTRATION_SCRIPT, FOUND, LINUX, NO_ENTROPY_SOURCE, NO_OOPS, OPEN, PAUSE,
    RANDOM,
};
use super::damage::{Damage, Field};
use super::expectation::Expectation::{
    self, Cases, Distinct, Line, Never, NoGuest, Sequence, Stopped, StoppedOrCases, Value,
};
use crate::board::Gic;
use crate::defect::Defect;

/// The control VM gives one Linux guest every service and the other none.
const DEMONSTRATION: &[Expectation] = &[NO_OOPS, DEMONSTRATION_SCRIPT, OPEN, RANDOM, CLOSED];
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

/// A damaged bundle: it is named, and no guest says a word.
const NOTHING_STARTS: &[Expectation] = &[Line("portcullis: bundle"), NoGuest];

/// What is said before anything of the board is used.
const REFUSED_TREE: Case = Case { manifest: "words.toml", halts: Some("nothing was started"), ..LINUX };

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
/// What a Linux' system calls take without and with KPTI, which a KASLR seed brings about. The time is that of the instructions.
const KPTI: Case = Case {
    name: "kpti-cortex-a53",
    manifest: "kpti.toml",
    cpu: Some("cortex-a53"),
    cores: 2,
    arguments: &["-icount", "shift=0,sleep=off"],
    expectations: &[
        NO_OOPS,
        Cases("ops"),
        Sequence(&["[off] syscall-check: kpti=no calls=", "[on] syscall-check: kpti=yes calls="]),
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
const DAMAGED: Case = Case { manifest: "conformance.toml", expectations: NOTHING_STARTS, ..LINUX };

/// Every test in QEMU.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let more = [
        boards::CASES,
        boot_loader::CASES,
        console::CASES,
        firmware::CASES,
        loaders::CASES,
        loaders::EFI_CASES,
        raspberry_pi::CASES,
        passthrough::CASES,
        power::CASES,
        sharing::CASES,
        speculation::CASES,
        watchdog::CASES,
        links::CASES,
    ];
    CASES.iter().chain(more.into_iter().flatten())
}

/// The tests with nothing of note at EL3.
const CASES: &[Case] = &[
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
    Case { name: "linux-gicv2", gic: Gic::V2, ..LINUX },
    Case { name: "reset-gicv2", gic: Gic::V2, ..RESET },
    SOILED,
    SEEDS,
    KPTI,
    Case { name: "kpti-cortex-a72", cpu: Some("cortex-a72"), ..KPTI },
    PEERS,
    Case { name: "peers-gicv2", manifest: "peers-gicv2.toml", gic: Gic::V2, ..PEERS },
    Case { name: "copies", manifest: "copies.toml", cores: 1, expectations: &[Cases("copies")], ..LINUX },
    PAUSE,
    Case { name: "pause-gicv2", gic: Gic::V2, ..PAUSE },
    // Both of its CPUs are busy when it is paused, for twice as long as its kernel lets one be without a word.
    Case {
        name: "pause-linux",
        manifest: "pause-linux.toml",
        cores: 3,
        arguments: &["-icount", "shift=4,sleep=off"],
        expectations: &[
            NO_OOPS,
            Never("soft lockup"),
            Never("rcu: INFO"),
            Sequence(&["[linux-a] load-check: before", "ops> resume linux-a", "[linux-a] load-check: after busy="]),
        ],
        ..LINUX
    },
    Case {
        name: "faults",
        manifest: "faults.toml",
        expectations: &[Stopped("abort"), Stopped("jump"), StoppedOrCases("mmio"), Cases("neighbour")],
        ..LINUX
    },
    // What of a GIC's own frames is not where the board's tree has it.
    Case {
        name: "misplaced-redistributors",
        defect: Some(Defect::MisplacedCpuInterface),
        expectations: &[
            Line("the device tree lists a region of the GIC's redistributors (GICR) at 0xb100000"),
            NoGuest,
        ],
        ..REFUSED_TREE
    },
    Case {
        name: "misplaced-gicc",
        gic: Gic::V2,
        defect: Some(Defect::MisplacedCpuInterface),
        expectations: &[Line("the device tree lists the GIC's CPU interface (GICC) at 0xb100000"), NoGuest],
        ..REFUSED_TREE
    },
    Case {
        name: "misplaced-gich",
        gic: Gic::V2,
        defect: Some(Defect::MisplacedVirtualControl),
        expectations: &[
            Line("the device tree lists the GIC's control of virtual interfaces (GICH) at 0xb100000"),
            NoGuest,
        ],
        ..REFUSED_TREE
    },
    Case {
        name: "entered-at-el1",
        arguments: &["-machine", "virtualization=off"],
        expectations: &[Line("the image was entered at EL1, and EL2 is needed"), NoGuest],
        ..REFUSED_TREE
    },
    // The third and the fourth core's redistributors are in a second region; the VMs are on all four.
    Case { name: "two-redistributor-regions", defect: Some(Defect::TwoRegions), ..CONFORMANCE },
    Case {
        name: "timer-with-another-interrupt",
        manifest: "words.toml",
        defect: Some(Defect::OtherTimer),
        halts: Some("nothing was started"),
        expectations: &[Line("the virtual timer has INTID 21 in the device tree; only 27 can be used"), NoGuest],
        ..LINUX
    },
    // The second core's redistributor lies beyond those that the board's tree tells of.
    Case {
        name: "core-without-redistributor",
        manifest: "no-redistributor.toml",
        cores: 2,
        defect: Some(Defect::OneRedistributor),
        expectations: &[
            Line("vm has core 1, which cannot be used, as a line above says; give vm other cores"),
            NoGuest,
        ],
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
        name: "manage-cost",
        manifest: "manage-cost.toml",
        cpu: Some("cortex-a72,cntfrq=1000000000"),
        cores: 2,
        arguments: &["-icount", "shift=0,sleep=off"],
        expectations: &[Cases("ruler")],
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
    Case { name: "damaged-cut", damage: Some(Damage::CutInHalf), ..DAMAGED },
    Case { name: "damaged-bit", damage: Some(Damage::OneBit), ..DAMAGED },
    Case { name: "damaged-zeros", damage: Some(Damage::Zeros), ..DAMAGED },
    Case {
        name: "placement",
        manifest: "placement.toml",
        expectations: &[Cases("load"), Cases("low"), Cases("small")],
        ..LINUX
    },
    Case {
        name: "pages-that-the-cores-lack",
        manifest: "conformance-no-entropy.toml",
        damage: Some(Damage::Pages),
        cpu: Some("cortex-a72"),
        expectations: &[Line("its kernel has pages of 16 KiB, which core 0 lacks; take one with"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-magic",
        damage: Some(Damage::Header(Field::Magic)),
        expectations: &[Line("bundle: it starts with 0x504f5254484f4c45; a bundle starts with"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-old",
        damage: Some(Damage::Header(Field::Old)),
        expectations: &[Line("bundle: it starts with 0xd00dfeed, as bundles of version 1 did; take"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-version",
        damage: Some(Damage::Header(Field::Version)),
        expectations: &[Line("bundle: its format is version 4; this hypervisor reads version 3: take"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-checksum",
        damage: Some(Damage::Header(Field::Checksum)),
        expectations: &[Line("bundle: it is damaged: its checksum is"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-size",
        damage: Some(Damage::Header(Field::Size)),
        expectations: &[Line("bundle: its header tells"), NoGuest],
        ..DAMAGED
    },
    Case {
        name: "damaged-images",
        damage: Some(Damage::Header(Field::Images)),
        expectations: &[Line("bundle: its header places the images at"), NoGuest],
        ..DAMAGED
    },
    LINUX,
    Case { name: "demo", manifest: "demo.toml", cores: 5, expectations: DEMONSTRATION, ..LINUX },
    Case { name: "linux-6.1", manifest: "debian-6.1.toml", ..LINUX },
    Case { name: "linux-7", manifest: "debian-7.toml", ..LINUX },
    // What Linux asks only where it is shown SMCCC 1.2, or the bits of VENDOR_HYP_2.
    Case {
        name: "linux-7-told",
        manifest: "debian-7-told.toml",
        cores: 3,
        expectations: &[
            NO_OOPS,
            Line("smccc: KVM: Number of target implementation CPUs is 2"),
            Value("linux-a", "implementations", "2"),
            Value("linux-a", "smccc", "1.2"),
            Value("linux-a", "soc", "jep106:043b:0102"),
            Value("linux-a", "revision", "0x00000010"),
            Value("linux-b", "smccc", "1.1"),
            Value("linux-b", "vendor", "yes"),
            Never("[linux-b] firmware-check: implementations="),
            Never("[linux-b] firmware-check: soc="),
        ],
        ..LINUX
    },
    Case {
        name: "linux-16k",
        manifest: "debian-16k.toml",
        cores: 2,
        expectations: &[
            NO_OOPS,
            FOUND,
            OPEN,
            RANDOM,
            BUS_ERROR,
            Value("linux-a", "pages", "16384"),
            Value("linux-a", "rtc_name", "rtc-pl031 9010000.pl031"),
        ],
        ..LINUX
    },
    Case { name: "linux-cortex-a72", cpu: Some("cortex-a72"), expectations: NO_ENTROPY_SOURCE, ..LINUX },
];

#[cfg(test)]
mod tests;
