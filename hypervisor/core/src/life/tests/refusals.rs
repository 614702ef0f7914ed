//! Streams that lie, with checksums that are right: each is refused by section, and the VM can be restored or started as before.

use core::mem::offset_of;

use portcullis_abi::manage::*;
use portcullis_abi::state::*;
use portcullis_stream::layout::{Head, Preamble, Run, Tail};
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;
use zerocopy::FromBytes;

use super::mover::*;
use super::saving::rig;
use crate::tests::rig::Rig;
use crate::vm::state::{Action, Phase};

/// What the machine says to a stream that it refuses; the VM is as it was created then.
pub(super) fn refusal(rig: &Rig, stream: &[u8]) -> String {
    // It has not said too much of late.
    rig.advance(60_000_000);
    let _ = rig.parts.line.take_shown();
    assert_eq!(restore(rig, stream, LENGTH), UNFIT);
    assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Created, Action::None));
    assert!(rig.vm(1).live() == 0 && !rig.vm(1).row.profile().is_frozen());
    let said = rig.parts.line.take_shown().replace("\r\nportcullis> ", "");
    let (_, reason) = said.split_once("not restored: ").unwrap_or_else(|| panic!("no reason: {said}"));
    reason.trim().to_owned()
}

/// The sections of a stream.
fn sections(stream: &[u8]) -> Vec<Section> {
    let (mut at, mut all) = (size_of::<Preamble>(), Vec::new());
    while at < stream.len() {
        let (head, _) = Head::read_from_prefix(&stream[at..]).unwrap();
        all.push(Section { kind: Kind::of(head.kind).unwrap(), index: head.index });
        at += size_of::<Head>() + head.length as usize + size_of::<Tail>();
    }
    all
}

/// A machine with the stream of its VM, which is made anew.
fn moved_away(gic: GicVersion) -> (Rig, Vec<u8>) {
    let rig = rig(gic);
    pause(&rig);
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    (rig, stream)
}

/// All is as if nothing had come: the good stream is taken on.
fn takes(rig: &Rig, stream: &[u8]) {
    assert_eq!(restore(rig, stream, LENGTH), 0);
    assert!(save(rig, LENGTH) == stream);
    ok(rig, RESUME, [A, 0, 0]);
    runs(rig);
}

#[test]
fn a_state_of_a_newer_version_is_refused_by_its_section() {
    let (rig, stream) = moved_away(GicVersion::V3);
    let states: Vec<Section> = sections(&stream).into_iter().filter(|section| section.kind < Kind::Memory).collect();
    assert!(states.len() > 12, "{states:?}");
    for section in states {
        let newer = changed(&stream, section, |body| body[..4].copy_from_slice(&77_u32.to_le_bytes()));
        let said = refusal(&rig, &newer);
        assert!(said.starts_with(&format!("section {section}: ")), "{said}");
        assert!(said.contains("version"), "{said}");
    }
    let mut newer = stream.clone();
    newer[offset_of!(Preamble, version)] = 2;
    assert_eq!(refusal(&rig, &newer), "the saved VM has format version 2; version 1 is understood here");
    takes(&rig, &stream);
}

#[test]
fn what_the_vm_does_not_have_is_refused_by_section() {
    refuses_lies(GicVersion::V3);
}

#[test]
fn with_a_gicv2_it_is_too() {
    refuses_lies(GicVersion::V2);
}

fn refuses_lies(gic: GicVersion) {
    let (rig, stream) = moved_away(gic);
    let std = offset_of!(Firmware, registers) + 4 * size_of::<u64>();
    let lists = offset_of!(Gic, cpus) + offset_of!(GicCpu, list_registers);
    let used = offset_of!(Gic, cpus) + offset_of!(GicCpu, used);
    let lies: [(Kind, usize, &[u8], &str); 12] = [
        (Kind::Needs, offset_of!(Needs, memory) + 3, &[1], "section NEEDS: the saved VM has "),
        (Kind::Needs, offset_of!(Needs, vcpus), &[2], "section NEEDS: the saved VM has "),
        (Kind::Needs, offset_of!(Needs, list_registers), &[200], "section NEEDS: "),
        (Kind::Firmware, std + 7, &[0x80], "section FIRMWARE: "),
        (Kind::Firmware, offset_of!(Firmware, ranges), &[33], "section FIRMWARE: "),
        (Kind::Gic, used, &[0xff, 0xff], "section GIC: its state has "),
        (Kind::Gic, lists + 7, &[0x40], "section GIC: its state is damaged: "),
        (Kind::Power, offset_of!(Power, version) + 4, &[9], "section POWER of vCPU 0: its state is damaged: "),
        (Kind::General, offset_of!(General, pstate), &[9], "section GENERAL of vCPU 0: its state is damaged: PSTATE"),
        (Kind::Uart, offset_of!(Pl011, receive_length), &[33], "section UART: its state is damaged: "),
        (Kind::Zero, offset_of!(Run, offset) + 5, &[1], "section ZERO: "),
        (Kind::Zero, offset_of!(Run, length) + 5, &[1], "section ZERO: "),
    ];
    for (number, (kind, at, bytes, expected)) in lies.into_iter().enumerate() {
        let lie = changed(&stream, Section::of(kind), |body| body[at..at + bytes.len()].copy_from_slice(bytes));
        let said = refusal(&rig, &lie);
        assert!(said.starts_with(expected), "lie {number}: {said}");
    }
    takes(&rig, &stream);
}
