//! Wires: levels are kept, and who is at the other end sees where they have come to.

use core::mem::offset_of;

use portcullis_abi::map::{GPIO, GPIO_INTID};
use portcullis_abi::state::{Pl061, WireNeeds};
use portcullis_bundle::links::{Wire, WireEnd};
use portcullis_devices::gpio::registers::*;
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;

use super::{comes_back, moved_away, refuses};
use crate::life::tests::mover::*;
use crate::tests::guest::{load, store};
use crate::tests::rig::{Rig, vm, x};

/// A control VM and a movable one, which drives line 2 of its own by "there", and sees "back" at line 3.
fn machine(gic: GicVersion) -> Rig {
    let end = |vm, line| WireEnd { vm, line };
    let wires =
        [Wire { name: "there", from: end(1, 2), to: end(2, 5) }, Wire { name: "back", from: end(2, 6), to: end(1, 3) }];
    let rig = Rig::with_wires(gic, &[vm("ops", &[0]), movable("a", &[1]), vm("b", &[2])], &wires);
    rig.settle();
    rig
}

fn write(rig: &Rig, core: usize, register: u64, value: u64) {
    rig.guest(core, move |context| store(context, GPIO + register, value));
    rig.settle();
}

fn read(rig: &Rig, core: usize, register: u64) -> u64 {
    x(rig.guest(core, move |_| load(GPIO + register)), 0)
}

fn level(rig: &Rig, core: usize, line: u64) -> u64 {
    read(rig, core, 4 << line) >> line & 1
}

#[test]
fn levels_are_kept_and_edges_while_it_was_away_are_seen() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let rig = machine(gic);
        for (core, out, from) in [(1, 2, 3), (2, 6, 5)] {
            for (register, value) in [(DIR, 1 << out), (IBE, 1 << from), (IE, 1 << from)] {
                write(&rig, core, register, value);
            }
        }
        write(&rig, 1, 4 << 2, 1 << 2);
        assert_eq!((level(&rig, 2, 5), read(&rig, 2, RIS)), (1, 1 << 5));
        write(&rig, 2, IC, 0xff);
        let stream = moved_away(&rig);
        assert_eq!((level(&rig, 2, 5), read(&rig, 2, RIS)), (0, 1 << 5), "nobody drives it");
        write(&rig, 2, IC, 0xff);
        assert_eq!(restore(&rig, &stream, LENGTH), 0);
        assert_eq!(level(&rig, 2, 5), 0, "nor before the VM goes on");
        recreate(&rig);
        // Meanwhile the other line rises.
        write(&rig, 2, 4 << 6, 1 << 6);
        comes_back(&rig, &stream);
        assert_eq!((level(&rig, 2, 5), read(&rig, 2, RIS)), (1, 1 << 5), "it is as it was");
        assert_eq!(
            (level(&rig, 1, 2), level(&rig, 1, 3), read(&rig, 1, MIS)),
            (1, 1, 1 << 3),
            "and sees what has changed"
        );
        assert_eq!([DIR, IBE, IE].map(|register| read(&rig, 1, register)), [1 << 2, 1 << 3, 1 << 3]);
        let intid = u64::from(GPIO_INTID);
        let pending = read_gic(&rig, 0x200 + intid / 32 * 4) >> (intid % 32) & 1;
        assert_eq!(pending, 1, "by an interrupt");
        // It goes on and pauses, and nothing changes by that.
        write(&rig, 2, IC, 0xff);
        let again = moved_away(&rig);
        comes_back(&rig, &again);
        assert_eq!((level(&rig, 1, 3), read(&rig, 1, MIS)), (1, 1 << 3));
    }
}

fn read_gic(rig: &Rig, register: u64) -> u64 {
    x(rig.guest(1, move |_| load(portcullis_abi::map::GICD + register)), 0)
}

#[test]
fn other_wires_and_states_are_refused() {
    let rig = machine(GicVersion::V3);
    let stream = moved_away(&rig);
    let wires = Section::of(Kind::Wires);
    let name = offset_of!(WireNeeds, names) + 2 * 32;
    refuses(
        &rig,
        &changed(&stream, wires, |body| body[name] = b'w'),
        "section WIRES: the saved VM has the beginning of wire \"where\" at line 2; this one must have the same there",
    );
    let outputs = offset_of!(WireNeeds, outputs);
    refuses(
        &rig,
        &changed(&stream, wires, |body| body[outputs] = 1 << 3 | 1 << 2),
        "the beginning of wire \"back\" at line 3",
    );
    let gpio = Section::of(Kind::Gpio);
    refuses(&rig, &changed(&stream, gpio, |body| body[offset_of!(Pl061, data) + 1] = 1), "section GPIO: ");
    refuses(&rig, &changed(&stream, gpio, |body| body[offset_of!(Pl061, inputs)] = 1 << 2), "GPIO inputs");
    assert_eq!(restore(&rig, &stream, LENGTH), 0);
}
