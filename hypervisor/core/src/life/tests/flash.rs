//! A VM with flash that is saved and restored: cells, firmware and the command that it is in.

use core::mem::offset_of;
use std::sync::LazyLock;

use portcullis_abi::manage::*;
use portcullis_abi::map::{FLASH, FLASH_BANK, FLASH_BLOCK};
use portcullis_abi::state;
use portcullis_bundle::VmConfig;
use portcullis_devices::flash::commands::*;
use portcullis_stream::{Kind, Section};
use portcullis_vgic::GicVersion;
use zerocopy::FromBytes;

use super::mover::*;
use super::refusals::refusal;
use crate::devices::emulated::Emulated;
use crate::tests::board::Parts;
use crate::tests::rig::{Rig, vm};
use crate::vm::flash::SECOND;
use crate::vm::state::{Action, Phase};

/// The firmware: no two of its pieces are alike, and it ends in the middle of a block of memory.
static FIRMWARE: LazyLock<&'static [u8]> =
    LazyLock::new(|| (0..3 * FLASH_BLOCK).map(|at| (at % 251) as u8 ^ (at >> 12) as u8).collect::<Vec<u8>>().leak());
/// Variables that it has at first.
static VARIABLES: [u8; FLASH_BLOCK as usize] = [0x3c; FLASH_BLOCK as usize];

/// A machine whose movable VM has such flash, and is in its guest.
fn rig(flash: [Option<&'static [u8]>; 2]) -> Rig {
    let vms = [vm("ops", &[0]), VmConfig { flash: Some(flash), ..movable("a", &[1]) }, vm("b", &[2])];
    let rig = Rig::on(Parts::new(), GicVersion::V3, &vms);
    rig.settle();
    runs(&rig);
    rig
}

/// The bank that takes commands.
fn bank(rig: &Rig) -> &'static dyn Emulated {
    let a = rig.vm(1);
    &**a.bus.devices().find(|device| device.save_flash().is_some()).unwrap()
}

/// What the guest stores to it, a word each.
fn stores(rig: &Rig, stores: &[(u64, u32)]) {
    let (a, bank) = (rig.vm(1), bank(rig));
    rig.at(1, || stores.iter().for_each(|(offset, value)| bank.write(a, *offset, 4, (*value).into())));
}

/// What it loads.
fn load(rig: &Rig, offset: u64) -> u32 {
    let (a, bank) = (rig.vm(1), bank(rig));
    let mut value = 0;
    rig.at(1, || value = bank.read(a, offset, 4) as u32);
    value
}

/// What the first bank holds, with what its file leaves of its memory.
fn first(rig: &Rig) -> &'static [u8] {
    let range = rig.vm(1).flash.as_ref().unwrap().banks.first.unwrap();
    // SAFETY: the memory was leaked for this VM, whose cores do not run meanwhile.
    unsafe { core::slice::from_raw_parts_mut(range.start as *mut u8, range.size() as usize) }
}

/// Both banks hold something else, as on another machine, or after another VM.
fn soil(rig: &Rig) {
    let banks = rig.vm(1).flash.as_ref().unwrap().banks;
    for range in banks.first.into_iter().chain([banks.second]) {
        // SAFETY: as above.
        unsafe { core::ptr::write_bytes(range.start as *mut u8, 0x77, range.size() as usize) };
    }
}

/// A command to both parts.
fn both(command: u8) -> u32 {
    u32::from(command) * 0x1_0001
}

#[test]
fn it_goes_on_in_the_middle_of_any_command() {
    let rig = rig([Some(*FIRMWARE), Some(&VARIABLES)]);
    let (there, next) = (5 * FLASH_BLOCK + 0x400, FLASH_BANK - FLASH_BLOCK);
    stores(
        &rig,
        &[(there, both(PROGRAM)), (there, 0x1234_5678), (next, both(PROGRAM)), (next, 0), (0, both(READ_ARRAY))],
    );
    // What is stored, and how often is looked then.
    type Way<'a> = (&'a str, &'a [(u64, u32)], u32);
    let ways: [Way<'_>; 8] = [
        ("the cells", &[(0, both(READ_ARRAY))], 0),
        ("the status register", &[(0, both(READ_STATUS))], 0),
        ("the query table", &[(0x154, both(QUERY))], 0),
        ("a word is due", &[(there, both(PROGRAM))], 0),
        ("a confirmation is due", &[(there, 0x0234_5678), (next, both(ERASE))], 0),
        ("half of an erasure is due", &[(next, both(CONFIRM))], 3),
        ("it is over", &[], 8),
        ("half of a buffer is due", &[(0x8000, both(BUFFERED)), (0x8000, 0x1_0001), (0x8004, 5)], 0),
    ];
    for (what, commands, looks) in ways {
        stores(&rig, commands);
        (0..looks).for_each(|_| _ = load(&rig, 0));
        pause(&rig);
        let (stream, state) = (save(&rig, LENGTH), bank(&rig).save_flash());
        assert!(stream.len() < 5 << 20, "erased cells are not sent: {}", stream.len());
        let cells = rig.cells(1).to_vec();
        assert_eq!(rig.vm(1).phase(), Phase::Paused, "saving changes nothing");
        recreate(&rig);
        soil(&rig);
        assert_eq!(restore(&rig, &stream, LENGTH), 0, "{what}");
        assert!(rig.cells(1) == cells, "{what}: its cells are as they were");
        assert_eq!(bank(&rig).save_flash(), state, "{what}");
        let (file, rest) = first(&rig).split_at(FIRMWARE.len());
        assert!(file == *FIRMWARE && rest.iter().all(|cell| *cell == 0xff), "{what}: and so is its firmware");
        let is_mapped = rig.vm(1).is_mapped(SECOND) && rig.vm(1).is_mapped(SECOND + FLASH_BANK - 8);
        assert_eq!(is_mapped, what == "the cells", "{what}");
        assert!(rig.vm(1).is_mapped(FLASH));
        assert!(save(&rig, LENGTH) == stream, "{what}: what is saved then is what was restored");
        ok(&rig, RESUME, [A, 0, 0]);
        runs(&rig);
    }
    // What was due is done.
    stores(&rig, &[(0x8000, 6), (0x8000, both(CONFIRM)), (0, both(READ_ARRAY))]);
    assert_eq!([load(&rig, there), load(&rig, next)], [0x0234_5678, u32::MAX]);
    assert_eq!(
        [load(&rig, 0x8000), load(&rig, 0x8004), load(&rig, 0)],
        [6 & 0x3c3c_3c3c, 5 & 0x3c3c_3c3c, 0x3c3c_3c3c]
    );
}

#[test]
fn what_is_not_the_same_or_lies_is_refused_by_section() {
    let rig = rig([Some(*FIRMWARE), None]);
    stores(&rig, &[(0, both(PROGRAM)), (0, 0), (0, both(READ_ARRAY))]);
    pause(&rig);
    let stream = save(&rig, LENGTH);
    recreate(&rig);
    let refused: [(Kind, usize, &[u8], &str); 9] = [
        (Kind::Needs, offset_of!(state::Needs, devices), &[3], "NEEDS: the saved VM has no CFI flash; "),
        (Kind::Banks, offset_of!(state::FlashNeeds, sum), &[1], "BANKS: the saved VM has "),
        (Kind::Banks, offset_of!(state::FlashNeeds, first) + 2, &[8], "BANKS: the saved VM has 524288 (0x80000) bytes"),
        (Kind::Banks, offset_of!(state::FlashNeeds, second) + 3, &[8], "BANKS: the saved VM has "),
        (Kind::Flash, offset_of!(state::Flash, mode), &[9], "FLASH: its state is damaged: the mode"),
        (Kind::Flash, offset_of!(state::Flash, step), &[9], "FLASH: its state is damaged: the step"),
        (Kind::Flash, offset_of!(state::Flash, window) + 4, &[9], "FLASH: its state is damaged: the buffer"),
        (Kind::Erased, 5, &[1], "ERASED: it begins at offset 0x10000001000; 0x1000 is due"),
        (Kind::Erased, 8 + 4, &[1], "ERASED: "),
    ];
    for (kind, at, bytes, expected) in refused {
        let lie = changed(&stream, Section::of(kind), |body| body[at..at + bytes.len()].copy_from_slice(bytes));
        let said = refusal(&rig, &lie);
        assert!(said.starts_with(&format!("section {expected}")), "{kind:?} {at}: {said}");
    }
    // Bytes that are flipped, in each of its sections.
    for kind in [Kind::Banks, Kind::Flash, Kind::Cells, Kind::Erased] {
        let body = body_of(&stream, Section::of(kind));
        for at in [body.start - 9, body.start, body.start + body.len() / 2, body.end - 1, body.end] {
            let mut bad = stream.clone();
            bad[at] ^= 0x20;
            assert_eq!(restore(&rig, &bad, LENGTH), UNFIT, "{kind:?}, byte {at}");
            assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Created, Action::None));
        }
    }
    // Nothing of what came is there when the VM starts instead.
    soil(&rig);
    ok(&rig, START, [A, 0, 0]);
    runs(&rig);
    assert!(rig.cells(1).iter().all(|cell| *cell == 0xff) && first(&rig).starts_with(*FIRMWARE));
    assert!(rig.vm(1).is_mapped(SECOND));
}

/// The header says what the machine has, and both sides the same of the same file.
#[test]
fn firmware_is_named_by_length_and_checksum() {
    let needs = |flash| {
        let rig = rig(flash);
        pause(&rig);
        let stream = save(&rig, LENGTH);
        state::FlashNeeds::read_from_bytes(&stream[body_of(&stream, Section::of(Kind::Banks))]).unwrap()
    };
    let of = |sum, first| state::FlashNeeds { version: 1, sum, first, second: FLASH_BANK };
    let sum = !portcullis_arch::checksum::crc32c(u32::MAX, *FIRMWARE);
    assert_eq!(needs([Some(*FIRMWARE), Some(&VARIABLES)]), of(sum, 3 * FLASH_BLOCK));
    assert_eq!(needs([None, None]), of(0, 0));
}
