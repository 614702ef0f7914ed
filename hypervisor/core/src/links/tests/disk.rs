//! Disks of VMs: images and RAM.

use portcullis_abi::manage;
use portcullis_bundle::links::{Disk, Source};
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::*;

use super::guest::{Guest, until_its};
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, results, vm};
use crate::vm::state::Phase;

pub const IN: u32 = 0;
pub const OUT: u32 = 1;
pub const FLUSH: u32 = 4;
const GET_ID: u32 = 8;
const DISCARD: u32 = 11;
pub const WRITE_ZEROES: u32 = 13;
pub const OK: u8 = 0;
pub const IOERR: u8 = 1;
const UNSUPP: u8 = 2;
/// VIRTIO_BLK_F_RO.
const READ_ONLY: u64 = 1 << 5;

/// Bytes of the image: no two sectors are the same.
const IMAGE: usize = 256 << 10;

pub fn image() -> &'static [u8] {
    Vec::leak((0..IMAGE).map(|at| (at / 512 + at % 251) as u8).collect())
}

pub fn disk(name: &'static str, vm: usize, slot: usize, source: Source<'static>) -> Disk<'static> {
    Disk { name, vm, slot, block: 512, source }
}

/// A control VM without disks, and a VM with an image in slot 3 and a megabyte of RAM in slot 4; each has a core.
pub fn machine() -> (Rig, [Guest; 2]) {
    let disks = [disk("rom", 1, 3, Source::Image(image())), disk("ram", 1, 4, Source::Scratch(1 << 20))];
    let rig = Rig::with_disks(GicVersion::V3, &[vm("ops", &[0]), vm("a", &[1])], &disks);
    rig.settle();
    let mut guests = [3, 4].map(|slot| Guest::new(1, 1, slot));
    guests.iter_mut().for_each(|guest| guest.begin(&rig, 0, &[128]));
    (rig, guests)
}

/// Header of a request.
pub fn header(kind: u32, sector: u64) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &[0; 4], &sector.to_le_bytes()].concat()
}

/// Makes a request and waits for it: its status, and what was read.
pub fn ask(rig: &Rig, guest: &mut Guest, kind: u32, sector: u64, sent: &[u8], room: u32) -> (u8, Vec<u8>) {
    let header = header(kind, sector);
    let mut parts = vec![header.as_slice()];
    parts.extend(sent.chunks(4096));
    let mut rooms: Vec<u32> = (0..room).step_by(4096).map(|at| (room - at).min(4096)).collect();
    rooms.push(1);
    let places = guest.ask(rig, 0, &parts, &rooms);
    guest.notify(rig, 0);
    rig.settle();
    let used = guest.used(rig, 0);
    let [(_, written)] = used.as_slice() else { panic!("one request is answered: {used:?}") };
    let status = guest.bytes(rig, *places.last().unwrap(), 1)[0];
    let mut data = Vec::new();
    for (at, length) in places.iter().zip(&rooms).take(places.len() - 1) {
        data.extend(guest.bytes(rig, *at, *length as usize));
    }
    data.truncate((*written as usize).saturating_sub(1));
    (status, data)
}

pub fn range(sector: u64, sectors: u32, flags: u32) -> Vec<u8> {
    [&sector.to_le_bytes()[..], &sectors.to_le_bytes(), &flags.to_le_bytes()].concat()
}

#[test]
fn a_disk_is_there_and_says_what_it_is() {
    let (rig, guests) = machine();
    for (guest, sectors, read_only) in [(&guests[0], IMAGE / 512, true), (&guests[1], 2048, false)] {
        assert_eq!([MAGIC, VERSION, DEVICE_ID].map(|at| guest.read(&rig, at)), [0x7472_6976, 2, 2]);
        assert_eq!(guest.read(&rig, CONFIG), sectors as u64);
        guest.write(&rig, DEVICE_FEATURES_SEL, 0);
        assert_eq!(guest.read(&rig, DEVICE_FEATURES) & READ_ONLY != 0, read_only);
    }
}

#[test]
fn an_image_is_read_and_not_written() {
    let (rig, [mut rom, _]) = machine();
    let bytes = image();
    for (sector, length) in [(0, 512), (7, 4096), (IMAGE / 512 - 1, 512), (3, 65_536), (0, 1024)] {
        let (status, read) = ask(&rig, &mut rom, IN, sector as u64, &[], length as u32);
        assert_eq!((status, read == bytes[sector * 512..][..length]), (OK, true), "{length} bytes from {sector}");
    }
    assert_eq!(ask(&rig, &mut rom, IN, (IMAGE / 512) as u64, &[], 512).0, IOERR);
    assert_eq!(ask(&rig, &mut rom, OUT, 0, &[7; 512], 0).0, IOERR);
    assert_eq!(ask(&rig, &mut rom, WRITE_ZEROES, 0, &range(0, 1, 0), 0).0, IOERR);
    assert_eq!(ask(&rig, &mut rom, IN, 0, &[], 512), (OK, bytes[..512].to_vec()));
    assert_eq!(ask(&rig, &mut rom, GET_ID, 0, &[], 20), (OK, b"rom\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()));
    assert!(rom.is_pending(&rig));
}

#[test]
fn ram_keeps_what_is_written() {
    let (rig, [_, mut ram]) = machine();
    assert_eq!(ask(&rig, &mut ram, IN, 100, &[], 4096), (OK, vec![0; 4096]));
    let text: Vec<u8> = (0..20_480).map(|at| (at / 3) as u8).collect();
    assert_eq!(ask(&rig, &mut ram, OUT, 2008, &text, 0), (OK, vec![]));
    assert_eq!(ask(&rig, &mut ram, FLUSH, 0, &[], 0), (OK, vec![]));
    assert_eq!(ask(&rig, &mut ram, IN, 2008, &[], 20_480), (OK, text.clone()));
    assert_eq!(ask(&rig, &mut ram, OUT, 2048, &[1; 512], 0).0, IOERR, "behind its end");
    assert_eq!(ask(&rig, &mut ram, DISCARD, 0, &range(0, 8, 0), 0).0, OK);
    assert_eq!(ask(&rig, &mut ram, WRITE_ZEROES, 0, &range(2010, 4, 1), 0).0, OK);
    assert_eq!(ask(&rig, &mut ram, 77, 0, &[], 0).0, UNSUPP);
    let mut after = text;
    after[1024..3072].fill(0);
    assert_eq!(ask(&rig, &mut ram, IN, 2008, &[], 20_480), (OK, after));
}

/// Who follows a VM is told of what was read and written, once, and not of what was refused or set to zero.
#[test]
fn what_is_copied_is_told_once() {
    let (rig, [mut rom, mut ram]) = machine();
    let told = |rig: &Rig| {
        let mut told = Vec::new();
        rig.machine.take_copies(1, |_, bytes| told.push(bytes));
        told
    };
    assert_eq!(told(&rig), []);
    assert_eq!(ask(&rig, &mut rom, IN, 0, &[], 512).0, OK);
    assert_eq!(ask(&rig, &mut ram, OUT, 8, &[1; 1024], 0).0, OK);
    assert_eq!(ask(&rig, &mut ram, IN, 8, &[], 4096).0, OK);
    assert_eq!(ask(&rig, &mut ram, OUT, 2048, &[1; 512], 0).0, IOERR, "behind its end");
    assert_eq!(ask(&rig, &mut ram, WRITE_ZEROES, 0, &range(8, 4, 1), 0).0, OK);
    assert_eq!(told(&rig), [512, 5120]);
    assert_eq!(told(&rig), []);
}

/// More than a piece of work: the rest makes exits of its own.
#[test]
fn long_requests_are_done_in_pieces() {
    let (rig, [mut rom, _]) = machine();
    let mut places = Vec::new();
    for _ in 0..4 {
        let mut rooms = vec![4096; 16];
        rooms.push(1);
        places.push(rom.ask(&rig, 0, &[&header(IN, 0)], &rooms));
    }
    let at = portcullis_abi::map::VIRTIO + 3 * 0x200 + QUEUE_NOTIFY;
    rig.at(1, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 0)));
    rig.run(1);
    assert!(rom.used(&rig, 0).len() < 4, "a piece does not do all of it");
    rig.settle();
    rom.notify(&rig, 0);
    rig.settle();
    let read = |rom: &mut Guest, places: &[u64]| {
        places[..16].iter().flat_map(|at| rom.bytes(&rig, *at, 4096)).collect::<Vec<u8>>()
    };
    assert!(places.iter().all(|places| read(&mut rom, places) == image()[..65_536]));
    // 64 MiB of zeros are asked for, of which the disk has none.
    let mut ram = Guest::new(1, 1, 4);
    ram.begin(&rig, 0, &[128]);
    assert_eq!(ask(&rig, &mut ram, WRITE_ZEROES, 0, &range(0, 131_072, 0), 0).0, IOERR);
    assert_eq!(ask(&rig, &mut ram, WRITE_ZEROES, 0, &range(0, 2048, 0), 0).0, OK);
}

#[test]
fn a_broken_driver_needs_a_reset_and_its_other_disk_does_not_notice() {
    let (rig, [mut rom, mut ram]) = machine();
    ram.give(&rig, 0, &[&[0; 16]]);
    ram.notify(&rig, 0);
    assert_eq!(ram.read(&rig, STATUS), 0x4f);
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("a: disk ram: request queue: "), "{lines}");
    ram.notify(&rig, 0);
    assert_eq!(ask(&rig, &mut rom, IN, 0, &[], 512).0, OK);
    ram.begin(&rig, 0, &[128]);
    assert_eq!(ask(&rig, &mut ram, IN, 0, &[], 512), (OK, vec![0; 512]));
}

/// The first VM is the control VM: it asks for something to become of the second.
fn manage(rig: &Rig, call: u32) {
    let result = results(rig.guest(0, move |context| hvc(context, [u64::from(call), 1, 0, 0])));
    assert_eq!(result[0], 0, "{call:#x}");
    rig.settle();
}

#[test]
fn ram_outlives_a_restart_and_not_that_the_vm_is_made_anew() {
    let (rig, [mut rom, mut ram]) = machine();
    let text = [9; 4096];
    assert_eq!(ask(&rig, &mut ram, OUT, 2040, &text, 0).0, OK);
    manage(&rig, manage::RESTART);
    assert_eq!(ram.read(&rig, STATUS), 0);
    ram.begin(&rig, 0, &[128]);
    assert_eq!(ask(&rig, &mut ram, IN, 2040, &[], 4096), (OK, text.to_vec()));
    for round in 0..2 {
        manage(&rig, manage::STOP);
        manage(&rig, manage::RECREATE);
        assert_eq!(rig.vm(1).phase(), Phase::Created);
        manage(&rig, manage::START);
        ram.begin(&rig, 0, &[128]);
        assert_eq!(ask(&rig, &mut ram, IN, 0, &[], 4096), (OK, vec![0; 4096]), "{round}");
        assert_eq!(ask(&rig, &mut ram, IN, 2040, &[], 4096), (OK, vec![0; 4096]), "{round}");
        assert_eq!(ask(&rig, &mut ram, OUT, 0, &text, 0).0, OK);
    }
    rom.begin(&rig, 0, &[128]);
    assert_eq!(ask(&rig, &mut rom, IN, 1, &[], 512), (OK, image()[512..1024].to_vec()));
}

#[test]
fn a_driver_that_resets_its_device_has_its_rings_back() {
    let (rig, [mut rom, _]) = machine();
    rom.ask(&rig, 0, &[&header(IN, 0)], &[512, 1]);
    rom.write(&rig, STATUS, 0);
    assert_eq!((rom.read(&rig, STATUS), rom.read(&rig, QUEUE_READY)), (0, 0));
    let before = rom.bytes(&rig, 0x4000_0000, 0x20_0000);
    rom.notify(&rig, 0);
    rig.settle();
    assert!(rom.bytes(&rig, 0x4000_0000, 0x20_0000) == before, "nothing is written to them any more");
}

/// What was left over when the VM was paused is done when it goes on.
#[test]
fn a_vm_on_a_core_that_others_share_has_its_disks_too() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let disks = [disk("rom", 1, 3, Source::Image(image())), disk("rom-too", 2, 0, Source::Image(image()))];
        let rig = Rig::with_disks(gic, &[vm("ops", &[0]), vm("a", &[1]), vm("b", &[1])], &disks);
        rig.settle();
        let mut guests = [Guest::new(1, 1, 3), Guest::new(2, 1, 0)];
        for (guest, vm) in guests.iter_mut().zip(1..) {
            until_its(&rig, 1, vm);
            guest.begin(&rig, 0, &[128]);
            assert_eq!(ask(&rig, guest, IN, 8, &[], 65_536), (OK, image()[4096..][..65_536].to_vec()), "{gic:?}");
        }
        until_its(&rig, 1, 1);
        let mut rooms = vec![4096; 32];
        rooms.push(1);
        guests[0].ask(&rig, 0, &[&header(IN, 0)], &rooms);
        let at = portcullis_abi::map::VIRTIO + 3 * 0x200 + QUEUE_NOTIFY;
        rig.at(1, || portcullis_arch::fake::guest(move |context| crate::tests::guest::store(context, at, 0)));
        rig.run(1);
        manage(&rig, manage::PAUSE);
        assert_eq!(rig.vm(1).phase(), Phase::Paused);
        manage(&rig, manage::RESUME);
        until_its(&rig, 1, 1);
        rig.settle();
        assert_eq!(guests[0].used(&rig, 0).len(), 1, "{gic:?}");
    }
}
