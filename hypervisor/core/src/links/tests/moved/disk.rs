//! Disks that EL2 has: an image, and RAM.

use core::mem::offset_of;

use portcullis_abi::manage::{START, UNFIT};
use portcullis_abi::state::{Disk as State, LinkNeeds, Virtqueue};
use portcullis_bundle::links::Source;
use portcullis_stream::layout::Head;
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::{comes_back, moved_away, refuses};
use crate::life::tests::mover::*;
use crate::links::tests::disk::{IN, OK, OUT, ask, disk, header, image};
use crate::links::tests::guest::Guest;
use crate::tests::rig::{Rig, vm};

/// Bytes of the disk in RAM: no whole pages.
const SIZE: u64 = (1 << 20) - 512;

/// A control VM, and a movable one with an image in slot 3 and RAM in slot 4; the driver of one of them is up.
fn machine(gic: GicVersion, slot: usize) -> (Rig, Guest) {
    let disks = [disk("rom", 1, 3, Source::Image(image())), disk("ram", 1, 4, Source::Scratch(SIZE))];
    let rig = Rig::with_disks(gic, &[vm("ops", &[0]), movable("a", &[1])], &disks);
    rig.settle();
    let mut guest = Guest::new(1, 1, slot);
    guest.begin(&rig, 0, &[128]);
    (rig, guest)
}

fn section(kind: Kind, index: u32) -> Section {
    Section { kind, index }
}

#[test]
fn what_was_written_is_there_and_what_was_asked_for_is_done() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let (rig, mut ram) = machine(gic, 4);
        let text: Vec<u8> = (0..8192).map(|at| (at % 253) as u8 + 1).collect();
        for sector in [0, 100, 2031] {
            assert_eq!(ask(&rig, &mut ram, OUT, sector, &text[..8192], 0).0, OK);
        }
        // One that nobody has looked at.
        let second = ram.ask(&rig, 0, &[&header(OUT, 300), &[0x77; 512]], &[1]);
        let stream = moved_away(&rig);
        assert!(stream.len() < 200 << 10, "what is not written is not sent: {} bytes", stream.len());
        comes_back(&rig, &stream);
        assert_eq!(ram.used(&rig, 0).len(), 1, "without a notification");
        assert_eq!(ram.bytes(&rig, second[0], 1), [OK]);
        assert!(ram.is_pending(&rig));
        for sector in [0, 100, 2031] {
            assert!(ask(&rig, &mut ram, IN, sector, &[], 8192) == (OK, text.clone()), "{sector}");
        }
        assert_eq!(ask(&rig, &mut ram, IN, 300, &[], 512), (OK, vec![0x77; 512]));
        assert_eq!(ask(&rig, &mut ram, IN, 400, &[], 512), (OK, vec![0; 512]));
    }
}

#[test]
fn an_image_is_where_it_was() {
    let (rig, mut rom) = machine(GicVersion::V3, 3);
    assert_eq!(ask(&rig, &mut rom, IN, 1, &[], 512).0, OK);
    let places = rom.ask(&rig, 0, &[&header(IN, 5)], &[512, 1]);
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!((rom.used(&rig, 0).len(), rom.bytes(&rig, places[1], 1)), (1, vec![OK]));
    assert!(rom.bytes(&rig, places[0], 512) == image()[5 * 512..][..512]);
}

/// A request of which a piece of work has done some is done anew.
#[test]
fn a_request_that_is_half_done_is_done() {
    let (rig, mut ram) = machine(GicVersion::V3, 4);
    let text: Vec<u8> = (0..400 << 10).map(|at| (at / 3 % 255) as u8).collect();
    let parts: Vec<&[u8]> = text.chunks(4096).collect();
    let header = header(OUT, 0);
    let sent: Vec<&[u8]> = [header.as_slice()].into_iter().chain(parts).collect();
    let places = ram.ask(&rig, 0, &sent, &[1]);
    rig.at(1, || ());
    let at = portcullis_abi::map::VIRTIO + 4 * 0x200 + QUEUE_NOTIFY;
    rig.at(1, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 0)));
    rig.run(1);
    assert_eq!(ram.used(&rig, 0).len(), 0, "it is not done in one piece");
    let stream = moved_away(&rig);
    comes_back(&rig, &stream);
    assert_eq!((ram.used(&rig, 0).len(), ram.bytes(&rig, places[0], 1)), (1, vec![OK]));
    for sector in (0..800).step_by(16) {
        assert!(ask(&rig, &mut ram, IN, sector, &[], 8192).1 == text[sector as usize * 512..][..8192], "{sector}");
    }
}

#[test]
fn what_is_restored_in_vain_is_gone() {
    let (rig, mut ram) = machine(GicVersion::V3, 4);
    assert_eq!(ask(&rig, &mut ram, OUT, 100, &[0x5a; 8192], 0).0, OK);
    let stream = moved_away(&rig);
    // It ends behind what is in the disk.
    let mut bad = stream.clone();
    let last = bad.len() - 4;
    bad[last] ^= 1;
    assert_eq!(restore(&rig, &bad, LENGTH), UNFIT);
    ok(&rig, START, [A, 0, 0]);
    runs(&rig);
    ram.begin(&rig, 0, &[128]);
    for sector in [0, 100, 108, 115] {
        assert_eq!(ask(&rig, &mut ram, IN, sector, &[], 512), (OK, vec![0; 512]), "{sector}");
    }
}

#[test]
fn other_disks_and_states_are_refused() {
    let (rig, mut ram) = machine(GicVersion::V3, 4);
    assert_eq!(ask(&rig, &mut ram, OUT, 0, &[1; 512], 0).0, OK);
    let stream = moved_away(&rig);
    let link = |slot, at: usize, line: &str| {
        refuses(&rig, &changed(&stream, section(Kind::Link, slot), |body| body[at] ^= 1), line);
    };
    link(3, offset_of!(LinkNeeds, sum), "has disk \"rom\" in virtio transport 3");
    link(3, offset_of!(LinkNeeds, sum), "their images must be the same");
    link(3, offset_of!(LinkNeeds, kind), "both must be from an image, or scratch, or served");
    link(4, offset_of!(LinkNeeds, name), "this one disk \"ram\": they must be of the same kind and name");
    link(4, offset_of!(LinkNeeds, size) + 1, "their sizes and blocks must be the same");
    link(4, offset_of!(LinkNeeds, block) + 1, "their sizes and blocks must be the same");
    link(4, offset_of!(LinkNeeds, read_only), "both must be for reading only, or neither");
    let queue = offset_of!(State, queue);
    for (at, value, line) in [
        (offset_of!(State, version), 2, "section DISK of virtio transport 4: its state is of version 2"),
        (offset_of!(State, reserved), 1, "a reserved word"),
        (queue + offset_of!(Virtqueue, taken) + 24, 1, "the chains that a device has"),
        (queue + offset_of!(Virtqueue, silent), 3, "a virtqueue's index"),
    ] {
        refuses(&rig, &changed(&stream, section(Kind::Disk, 4), |body| body[at] = value), line);
    }
    // What is in a disk that holds nothing that is sent.
    let mut bad = stream.clone();
    let head = body_of(&stream, section(Kind::Contents, 4)).start - size_of::<Head>();
    bad[head + offset_of!(Head, index)] = 3;
    refuses(
        &rig,
        &bad,
        "section CONTENTS of virtio transport 3: it comes where section CONTENTS of virtio transport 4 is due",
    );
    assert_eq!(restore(&rig, &stream, LENGTH), 0);
}
