//! The tests on boards that people partition, as far as QEMU has them: Xilinx' ZCU102 and Versal.

use super::super::expectation::Expectation::{self, All, Cases, Line, Never, NoGuest, Value};
use super::case::{CLOSED, CONFORMANCE, Case, LINUX, NO_OOPS, OPEN};
use super::passthrough::DRIVEN;
use crate::board::{Board, Gic};
use crate::defect::Defect;

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

/// RAM of 256 MiB in each of nine nodes, which QEMU lists backwards: the one with image and bundle comes last.
const NINE_NODES: &[&str] = &[
    "-m",
    "2304M",
    "-object",
    "memory-backend-ram,id=m0,size=256M",
    "-numa",
    "node,memdev=m0,cpus=0-3",
    "-object",
    "memory-backend-ram,id=m1,size=256M",
    "-numa",
    "node,memdev=m1",
    "-object",
    "memory-backend-ram,id=m2,size=256M",
    "-numa",
    "node,memdev=m2",
    "-object",
    "memory-backend-ram,id=m3,size=256M",
    "-numa",
    "node,memdev=m3",
    "-object",
    "memory-backend-ram,id=m4,size=256M",
    "-numa",
    "node,memdev=m4",
    "-object",
    "memory-backend-ram,id=m5,size=256M",
    "-numa",
    "node,memdev=m5",
    "-object",
    "memory-backend-ram,id=m6,size=256M",
    "-numa",
    "node,memdev=m6",
    "-object",
    "memory-backend-ram,id=m7,size=256M",
    "-numa",
    "node,memdev=m7",
    "-object",
    "memory-backend-ram,id=m8,size=256M",
    "-numa",
    "node,memdev=m8",
];
/// RAM beyond what EL2 can map, of which nobody is given any, and of which the host gives nothing that is not touched.
const WIDE: &[&str] =
    &["-m", "600G", "-object", "memory-backend-ram,id=m,size=600G,reserve=off", "-machine", "memory-backend=m"];
/// A VM with few words, on a machine that is not as others are.
const WORDS: Case = Case { manifest: "words.toml", ..LINUX };

/// The tests.
pub const CASES: &[Case] = &[
    Case {
        name: "virt-17-cores",
        cores: 17,
        expectations: &[Cases("words"), Line("16 cores, 2048 MiB"), Line("0 ranges of RAM and 1 cores are not used")],
        ..WORDS
    },
    Case {
        name: "virt-64-cores",
        cores: 64,
        expectations: &[Cases("words"), Line("16 cores, 2048 MiB"), Line("0 ranges of RAM and 48 cores are not used")],
        ..WORDS
    },
    Case {
        name: "virt-nine-nodes",
        arguments: NINE_NODES,
        expectations: &[Cases("words"), Line("4 cores, 2304 MiB")],
        ..WORDS
    },
    Case {
        name: "virt-600-gib",
        arguments: WIDE,
        expectations: &[Cases("words"), Line("4 cores, 614400 MiB")],
        ..WORDS
    },
    // The image names the port that the device tree has elsewhere: it is heard before and whatever the tree says.
    Case {
        name: "virt-early-console",
        defect: Some(Defect::AbsentSerial),
        early_console: Some("arm,pl011@0x9000000"),
        expectations: &[
            Cases("words"),
            Line("portcullis: early console: a PL011 at 0x9000000; x0 is 0x4"),
            Line("the serial port has no interrupt of the GIC's"),
        ],
        ..WORDS
    },
    // The boot core has no anchor yet, and no console but the one that the image names: a fault of its own is told of even so.
    Case {
        name: "virt-early-fault",
        early_console: Some("arm,pl011@0x9000000"),
        broken: Some("portcullis_probe_read"),
        halts: Some("mpidr_el1  0x0000000000000000"),
        expectations: &[
            Line("portcullis: early console: a PL011 at 0x9000000; x0 is 0x4"),
            Line("portcullis: panic: synchronous exception in EL2 at 0x"),
            Line("portcullis: on the boot core (affinity 0x0)"),
            // EC 0: an unknown instruction.
            Line("portcullis: esr_el2    0x0000000002000000   elr_el2    0x"),
            Never("portcullis: Portcullis"),
            NoGuest,
        ],
        ..WORDS
    },
    Case {
        name: "virt-absent-serial",
        defect: Some(Defect::AbsentSerial),
        halts: Some("nothing was started"),
        expectations: &[Line("the device tree lists a PL011 at 0xb100000, where nothing answers"), NoGuest],
        ..WORDS
    },
    Case {
        name: "zcu102-absent-serial",
        manifest: "conformance-gicv2-no-entropy.toml",
        defect: Some(Defect::AbsentSerial),
        halts: Some("nothing was started"),
        expectations: &[Line("the device tree lists a Cadence UART at 0xfa000000, where nothing answers"), NoGuest],
        ..ZCU102
    },
    // As far as QEMU's machine goes: the i.MX UART, a core by PSCI, a VM's calls, power off.
    Case {
        name: "imx8mp",
        board: Board::Imx8mp,
        manifest: "imx8mp.toml",
        expectations: &[
            Cases("off"),
            Line("portcullis: Portcullis 0.1.0 on fsl,imx8mp-evk: 4 cores, 2048 MiB"),
            Line("portcullis: off: started with STD"),
            Line("portcullis: no VM is running any more: power off"),
        ],
        ..LINUX
    },
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
