//! The tests of devices that a VM drives itself, and of devices that it cannot be given.

use super::super::expectation::Expectation::{self, All, Cases, Line, NoGuest, Value};
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::{Board, Gic};
use crate::defect::Defect;

/// QEMU's second serial port, which leads nowhere. With it `virt` has a second PL011.
const SECOND_SERIAL: &[&str] = &["-serial", "null"];

/// Three boots, the device's register out of the other VM's reach.
pub const DRIVEN: Expectation = All(&[Line("[driver] boot: 2"), Cases("driver"), Cases("abort"), Cases("neighbour")]);

const DEVICE: Case = Case {
    name: "passthrough",
    manifest: "device.toml",
    arguments: SECOND_SERIAL,
    expectations: &[DRIVEN, Line("driver: has /pl011@9040000 at 0x9040000, interrupts [40]")],
    ..LINUX
};

/// A device's interrupts at their worst, beside others.
const DISTURB: Case = Case {
    name: "passthrough-disturb",
    manifest: "disturb.toml",
    cores: 3,
    arguments: SECOND_SERIAL,
    expectations: &[Cases("ops"), Cases("victim"), Cases("evil")],
    ..LINUX
};
/// The same by a VM that has no core to itself.
const DISTURB_SHARED: Case = Case {
    name: "passthrough-disturb-shared",
    manifest: "disturb-shared.toml",
    expectations: &[Cases("ops"), Cases("windows"), Cases("turns"), Cases("evil")],
    ..DISTURB
};

/// The same with a device of which the board's tree says that its interrupt is edge-triggered.
const DISTURB_EDGE: Case = Case { name: "passthrough-disturb-edge", defect: Some(Defect::Edge), ..DISTURB };

/// A device that is not given.
const fn refused(name: &'static str, manifest: &'static str, expectations: &'static [Expectation]) -> Case {
    Case { name, manifest, expectations, ..LINUX }
}

/// The tests.
pub const CASES: &[Case] = &[
    DEVICE,
    Case { name: "passthrough-gicv2", gic: Gic::V2, ..DEVICE },
    DISTURB,
    Case { name: "passthrough-disturb-gicv2", gic: Gic::V2, ..DISTURB },
    DISTURB_SHARED,
    Case { name: "passthrough-disturb-shared-gicv2", gic: Gic::V2, ..DISTURB_SHARED },
    DISTURB_EDGE,
    Case { name: "passthrough-disturb-edge-gicv2", gic: Gic::V2, ..DISTURB_EDGE },
    Case { name: "passthrough-disturb-edge-shared", defect: Some(Defect::Edge), ..DISTURB_SHARED },
    // No clock of the guest's can be where a device of the board's has its interrupt, and the VM asks for one.
    Case {
        arguments: SECOND_SERIAL,
        defect: Some(Defect::TakenInterrupt),
        ..refused(
            "passthrough-clock-taken",
            "bad-devices/clock-taken.toml",
            &[
                Line("vm asks for a real-time clock (rtc = true), and is given a device of the board in its place"),
                NoGuest,
            ],
        )
    },
    Case {
        name: "raspi4b-passthrough",
        board: Board::Raspi4b,
        gic: Gic::V2,
        manifest: "device-raspi4b.toml",
        expectations: &[DRIVEN, Line("driver: has /soc/serial@7e215040 at 0xfe215040, interrupts [125]")],
        ..DEVICE
    },
    Case {
        name: "passthrough-dma",
        manifest: "dma.toml",
        expectations: &[
            Cases("trusted"),
            Line("trusted: trust-dma: through its devices it can read and write all memory"),
        ],
        ..LINUX
    },
    Case {
        name: "passthrough-linux",
        manifest: "device-linux.toml",
        cores: 2,
        arguments: SECOND_SERIAL,
        expectations: &[
            NO_OOPS,
            Value("linux-a", "cpus", "2"),
            Line("9040000.pl011: ttyAMA1 at MMIO 0x9040000"),
            Line("9030000.pl061: PL061 GPIO chip registered"),
        ],
        ..LINUX
    },
    Case {
        name: "raspi4b-trusted-linux",
        board: Board::Raspi4b,
        gic: Gic::V2,
        manifest: "trusted-linux.toml",
        expectations: &[
            NO_OOPS,
            Value("linux-a", "cpus", "2"),
            Line("linux-a: has /soc/mmc@7e300000 at 0xfe300000, interrupts [158]"),
            Line("linux-a: trust-dma: through its devices it can read and write all memory"),
            // In the first GiB.
            Line("node   0: [mem 0x000000002"),
        ],
        ..LINUX
    },
    refused(
        "passthrough-no-node",
        "bad-devices/no-node.toml",
        &[Line("vm: device /pl061@9030001: the board's device tree has no such node"), NoGuest],
    ),
    refused(
        "passthrough-hypervisor",
        "bad-devices/hypervisor.toml",
        &[Line("vm: device /pl011@9000000: the hypervisor itself uses what is at 0x9000000"), NoGuest],
    ),
    refused(
        "passthrough-clock",
        "bad-devices/clock.toml",
        &[Line("vm: device /pl031@9010000: the hypervisor itself uses what is at 0x9010000"), NoGuest],
    ),
    refused(
        "passthrough-memory",
        "bad-devices/memory.toml",
        &[Line("vm: device /memory@40000000: the hypervisor itself uses what is at 0x40000000"), NoGuest],
    ),
    refused(
        "passthrough-no-registers",
        "bad-devices/no-registers.toml",
        &[Line("vm: device /apb-pclk: it has no registers with a physical address"), NoGuest],
    ),
    refused(
        "passthrough-bus",
        "bad-devices/bus.toml",
        &[Line("vm: device /pcie@10000000: it is a bus; give the devices on it"), NoGuest],
    ),
    refused(
        "passthrough-no-trust",
        "bad-devices/no-trust.toml",
        &[Line("vm: device /fw-cfg@9020000: it may read and write all memory by itself (DMA)"), NoGuest],
    ),
    refused(
        "passthrough-shared-page",
        "bad-devices/shared-page.toml",
        &[Line("vm: device /virtio_mmio@a003e00: its page at 0xa003000 also has /virtio_mmio@a00"), NoGuest],
    ),
    Case {
        board: Board::Raspi4b,
        gic: Gic::V2,
        halts: Some("nothing was started"),
        ..refused(
            "raspi4b-passthrough-disabled",
            "bad-devices/disabled.toml",
            &[Line("vm: device /soc/serial@7e201400: the board's device tree says that it is disabled"), NoGuest],
        )
    },
];
