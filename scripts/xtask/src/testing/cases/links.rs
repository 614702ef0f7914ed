//! The tests of what connects VMs.

use super::super::expectation::Expectation::{self, All, Cases, Line, Says};
use super::case::{Case, LINUX, NO_OOPS};
use crate::board::{Board, Gic};
use crate::el3::El3;

/// Edges in both directions, between VMs on cores of their own and between two on one core.
const WIRES: Case = Case {
    name: "wires",
    manifest: "wires.toml",
    cores: 3,
    expectations: &[Cases("asks"), Cases("answers"), Cases("asks-beside"), Cases("answers-beside")],
    ..LINUX
};
/// Each edge that a stock Debian guest drives is seen by another one, and so is what it writes to memory that both have.
const WIRE_LINUX: Case = Case {
    name: "wire-linux",
    manifest: "wire-linux.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Says("linux-a", "links-check: drive=ready edges=5"),
        Says("linux-b", "links-check: watch=ready status=0 edges=5"),
        Says("linux-a", "links-check: poke=0x10002000 status=0"),
        Says("linux-b", "links-check: peek=0x10002000 value=0x00C0FFEE"),
    ],
    ..LINUX
};
/// Who may write what, and what becomes of a state page.
const SHARED_MEMORY: Case = Case {
    name: "shared-memory",
    manifest: "shared-memory.toml",
    cores: 2,
    expectations: &[
        Cases("writes"),
        Cases("reads"),
        Line("reads vcpu 0: gets an abort: access outside memory and devices: pc 0x4"),
    ],
    ..LINUX
};

/// Frames of all lengths, one by one and in bursts, between VMs on cores of their own and between two on one core.
const NETWORK: Case = Case {
    name: "network",
    manifest: "network.toml",
    cores: 4,
    expectations: &[
        Cases("asks"),
        Cases("answers"),
        Cases("asks-beside"),
        Cases("answers-beside"),
        Says("ops", "lan     network  asks            48         down"),
        Says("ops", "beside  network  answers-beside  48"),
        Says("ops", "network lan: sent 5"),
        Says("ops", "dropped-full 0, dropped-small 0, dropped-unsegmented 0"),
    ],
    ..LINUX
};
/// The same on a GICv2, without who tells of it.
const NETWORK_GICV2: Case = Case {
    name: "network-gicv2",
    manifest: "network-gicv2.toml",
    cores: 3,
    gic: Gic::V2,
    expectations: &[Cases("asks"), Cases("answers"), Cases("asks-beside"), Cases("answers-beside")],
    ..LINUX
};
/// Two stock Debian guests ping each other, and a stream goes there and back; one of their addresses follows from the names.
const NETWORK_LINUX: Case = Case {
    name: "network-linux",
    manifest: "network-linux.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Says("linux-a", "links-check: address=10.0.0.1/24 interface=eth0 mac=02:da:47:54:4a:81 mtu=1500"),
        Says("linux-b", "links-check: address=10.0.0.2/24 interface=eth0 mac=02:00:00:00:00:0b mtu=1500"),
        Says("linux-a", "links-check: ping=10.0.0.2 sent=5 received=5"),
        Says("linux-b", "links-check: ping=10.0.0.1 sent=5 received=5"),
        Says("linux-a", "links-check: stream=10.0.0.2 bytes=8000000 same=yes"),
    ],
    ..LINUX
};

/// Images and RAM as disks, of VMs on cores of their own and on one that is shared.
const DISKS: Case = Case {
    name: "disks",
    manifest: "disks.toml",
    cores: 2,
    expectations: &[Cases("alone"), Cases("beside"), Cases("beside-too")],
    ..LINUX
};
/// A stock Debian guest mounts an image and makes a file system in RAM.
const DISKS_LINUX: Case = Case {
    name: "disks-linux",
    manifest: "disks-linux.toml",
    cores: 1,
    expectations: &[
        NO_OOPS,
        Says("linux-a", "links-check: mount=rom read-only=1 status=0 same=yes write=refused"),
        Says("linux-a", "links-check: files=work status=0 same=yes fsck=0 discard=0"),
    ],
    ..LINUX
};

/// Messages of all lengths on two ports, and a close behind the last bytes, between VMs on cores of their own and between two
/// on one core.
const SERIAL: Case = Case {
    name: "serial",
    manifest: "serial.toml",
    cores: 3,
    expectations: &[Cases("asks"), Cases("answers"), Cases("asks-beside"), Cases("answers-beside")],
    ..LINUX
};
/// Two stock Debian guests with serial cables: what one writes the other one reads, all of it, whatever is slower.
/// The sums are those of the numbers from 1 on.
const SERIAL_LINUX: Case = Case {
    name: "serial-linux",
    manifest: "serial-linux.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Says("linux-a", "links-check: send=uplink status=0 bytes=10000000 sum=da89597be9620776be6aec60ede132b7"),
        Says("linux-b", "links-check: receive=uplink bytes=10000000 sum=da89597be9620776be6aec60ede132b7"),
        Says("linux-b", "links-check: terminal=gps bytes=1000 sum=532188f9cac7db2a7a5ceef07c37b78e"),
        Says("linux-a", "links-check: receive=uplink bytes=1000000 sum=6aa9a3b9b00ebbb8de878ced935dc80c"),
        Says("linux-b", "links-check: drain=uplink status=0"),
    ],
    ..LINUX
};
/// A stock Debian guest serves disks with nbdkit, qemu-nbd and nbd-server, which are killed under load and come back.
const SERVED_LINUX: Case = Case {
    name: "served-linux",
    manifest: "served-linux.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Says("linux-b", "links-check: kill=one with=nbdkit status=0"),
        Says("linux-b", "links-check: kill=two with=qemu-nbd status=0"),
        Says("linux-b", "links-check: kill=three with=nbd-server status=0"),
        Says("linux-a", "links-check: load=one bytes=4194304 status=0 again=0 same=yes"),
        Says("linux-a", "links-check: load=two bytes=4194304 status=0 again=0 same=yes"),
        Says("linux-a", "links-check: load=three bytes=4194304 status=0 again=0 same=yes"),
        Says("linux-a", "links-check: files=one status=0 same=yes fsck=0 discard=0"),
        Says("linux-a", "links-check: files=two status=0 same=yes fsck=0 discard=0"),
        Says("linux-a", "links-check: files=three status=0 same=yes fsck=0"),
    ],
    ..LINUX
};

/// Drivers at random at every device, and guests that must not notice.
const HOSTILE_RINGS: Case = Case {
    name: "hostile-rings",
    manifest: "hostile-rings.toml",
    cores: 3,
    expectations: &[
        Cases("worst-a"),
        Cases("worst-b"),
        Cases("victim"),
        Cases("asks"),
        Cases("answers"),
        Cases("beside"),
        Line("the driver has to reset the device"),
    ],
    ..LINUX
};

/// All of it between two stock Debian guests: Ethernet, a disk that one serves, a serial cable, wires. The sum is that of the
/// numbers from 1 on.
const LINKS: Case = Case {
    name: "links",
    manifest: "links.toml",
    cores: 2,
    expectations: &[
        NO_OOPS,
        Says("linux-a", "links-check: ping=10.0.0.2 sent=5 received=5"),
        Says("linux-b", "links-check: ping=10.0.0.1 sent=5 received=5"),
        Says("linux-a", "links-check: stream=10.0.0.2 bytes=8000000 same=yes"),
        Says("linux-a", "links-check: files=data status=0 same=yes fsck=0 discard=0"),
        Says("linux-b", "links-check: receive=cable bytes=1000000 sum=6aa9a3b9b00ebbb8de878ced935dc80c"),
        Says("linux-b", "links-check: watch=begin status=0 edges=1"),
        Says("linux-a", "links-check: watch=ready status=0 edges=5"),
    ],
    ..LINUX
};

/// A ping both ways, a file system on the disk that the other one serves, 1 MB by a serial cable.
const PING_DISK_AND_CABLE: Expectation = All(&[
    NO_OOPS,
    Says("linux-a", "links-check: ping=10.0.0.2 sent=5 received=5"),
    Says("linux-b", "links-check: ping=10.0.0.1 sent=5 received=5"),
    Says("linux-a", "links-check: files=data status=0 same=yes fsck=0 discard=0"),
    Says("linux-b", "links-check: receive=cable bytes=1000000 sum=6aa9a3b9b00ebbb8de878ced935dc80c"),
]);
/// That, and an edge.
const ALL_KINDS: &[Expectation] = &[PING_DISK_AND_CABLE, Says("linux-b", "links-check: watch=begin status=0 edges=1")];
/// All of it above TF-A.
const SHORT: Case = Case {
    name: "links-tf-a",
    manifest: "links-short.toml",
    cores: 2,
    el3: El3::TfA,
    expectations: ALL_KINDS,
    ..LINUX
};
/// All of it on a Raspberry Pi 4.
const RASPI4B: Case = Case {
    name: "links-raspi4b",
    manifest: "links-raspi4b.toml",
    board: Board::Raspi4b,
    cores: 4,
    gic: Gic::V2,
    // Time is the machine's own: on a busy host a guest is easily away between setting its timer and its end of interrupt, and
    // QEMU's GICv2 then loses the timer (docs/boards.md).
    arguments: &["-icount", "shift=3,sleep=off"],
    expectations: ALL_KINDS,
    ..LINUX
};
/// Between the oldest and the newest of Debian's kernels, on one core, with both versions of libgpiod.
const KERNELS: Case = Case {
    name: "links-kernels",
    manifest: "links-kernels.toml",
    cores: 1,
    expectations: &[
        PING_DISK_AND_CABLE,
        Says("linux-b", "links-check: watch=begin status=0 edges=1"),
        Says("linux-a", "links-check: watch=ready status=0 edges=5"),
    ],
    ..LINUX
};

/// On both GICs.
pub const CASES: &[Case] = &[
    WIRES,
    Case { name: "wires-gicv2", manifest: "wires-gicv2.toml", gic: Gic::V2, ..WIRES },
    WIRE_LINUX,
    SHARED_MEMORY,
    NETWORK,
    NETWORK_GICV2,
    Case { name: "shared-memory-gicv2", manifest: "shared-memory-gicv2.toml", gic: Gic::V2, ..SHARED_MEMORY },
    DISKS,
    Case { name: "disks-gicv2", manifest: "disks-gicv2.toml", gic: Gic::V2, ..DISKS },
    DISKS_LINUX,
    SERIAL,
    Case { name: "serial-gicv2", manifest: "serial-gicv2.toml", gic: Gic::V2, ..SERIAL },
    SERIAL_LINUX,
    SERVED_LINUX,
    NETWORK_LINUX,
    HOSTILE_RINGS,
    LINKS,
    SHORT,
    RASPI4B,
    KERNELS,
    Case { name: "links-gicv2", gic: Gic::V2, ..LINKS },
];
