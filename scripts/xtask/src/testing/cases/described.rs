//! Boards whose device tree tells what is not so, or what cannot be used.

use super::super::expectation::Expectation::{Line, NoGuest};
use super::case::{CONFORMANCE, Case, LINUX};
use crate::board::Gic;
use crate::defect::Defect;

/// What is said before anything of the board is used.
const REFUSED_TREE: Case = Case { manifest: "words.toml", halts: Some("nothing was started"), ..LINUX };

pub const CASES: &[Case] = &[
    // What of a GIC's own frames is not where the board's tree has it.
    Case {
        name: "misplaced-gicd",
        defect: Some(Defect::MisplacedDistributor),
        expectations: &[Line("the device tree lists the GIC's distributor (GICD) at 0xb100000"), NoGuest],
        ..REFUSED_TREE
    },
    Case {
        name: "misplaced-clock",
        defect: Some(Defect::MisplacedClock),
        expectations: &[Line("the device tree lists a PL031 at 0xb100000, where nothing answers"), NoGuest],
        ..REFUSED_TREE
    },
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
];
