//! Images that the control VM loads into a VM without any, by HVC and by what the VM's own core does with them.

use portcullis_abi::manage::*;
use portcullis_abi::map::RAM;
use portcullis_arch::checksum;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::VmConfig;
use portcullis_stream::images::Head;
use portcullis_vgic::GicVersion;
use zerocopy::IntoBytes;

use super::mover;
use crate::machine::Machine;
use crate::tests::board::Parts;
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, results, vm};
use crate::vm::failure::{Failure, Reason};
use crate::vm::state::{Action, Phase};

/// Where the control VM has its buffer, and how long that is.
const BUFFER: u64 = RAM + 0x10_0000;
const LENGTH: usize = 32 << 10;
/// The VM without an image.
const A: u64 = 1;
/// Where a raw binary begins in RAM.
const KERNEL: usize = 0x8_0000;

/// A machine with a control VM and one without an image, which can be moved and has a store of so many bytes.
fn rig(store: u64) -> Rig {
    let mut a = VmConfig { kernel: &[], store: Some(store), cmdline: "quiet", ..vm("a", &[1]) };
    (a.settings.autostart, a.settings.movable) = (false, true);
    let rig = Rig::on(Parts::new(), GicVersion::V3, &[vm("ops", &[0]), a]);
    rig.settle();
    rig
}

fn call(rig: &Rig, function: u32, arguments: [u64; 3]) -> [u64; 4] {
    let [x1, x2, x3] = arguments;
    let results = results(rig.guest(0, move |context| hvc(context, [function.into(), x1, x2, x3])));
    rig.settle();
    results
}

fn status(rig: &Rig, function: u32, arguments: [u64; 3]) -> i64 {
    call(rig, function, arguments)[0].cast_signed()
}

/// Lines of the log, in one piece each.
fn shown(rig: &Rig) -> String {
    rig.parts.line.take_shown().replace('\r', "").replace("\nportcullis> ", "")
}

/// The VM's images as a stream.
fn stream(kernel: &[u8], initrd: &[u8], cmdline: &str) -> Vec<u8> {
    let head = Head::new(kernel.len() as u64, initrd.len() as u64, cmdline.len() as u64);
    let mut bytes = [head.as_bytes(), cmdline.as_bytes(), kernel, initrd].concat();
    let sum = !checksum::crc32c(u32::MAX, &bytes);
    bytes.extend([sum.to_le_bytes(), [0; 4]].concat());
    bytes
}

/// What the machine says to images that come through the buffer.
fn load(rig: &Rig, stream: &[u8]) -> i64 {
    let begun = status(rig, LOAD, [A, stream.len() as u64, 0]);
    if begun != SUCCESS {
        return begun;
    }
    let mut rest = stream;
    loop {
        let now = &rest[..rest.len().min(LENGTH)];
        let buffer = (rig.vm(0).memory.start + (BUFFER - RAM)) as *mut u8;
        // SAFETY: it is the control VM's RAM, which is there for ever, and whose core does nothing now.
        unsafe { core::ptr::copy(now.as_ptr(), buffer, now.len()) };
        let [status, bytes, progress, _] = call(rig, TRANSFER, [BUFFER, now.len() as u64, 0]);
        if status != 0 || progress == TRANSFER_DONE {
            return status.cast_signed();
        }
        rest = &rest[bytes as usize..];
        assert!(!rest.is_empty(), "it wants more than there is");
    }
}

/// Lets the VM's core go on until it has begun, or failed.
fn begins(rig: &Rig) -> bool {
    for _ in 0..400 {
        if rig.is_in_guest(1) {
            return true;
        }
        if rig.vm(1).phase() != Phase::Running {
            return false;
        }
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("it never came into its guest: {:?}", rig.vm(1).state());
}

/// A kernel of bytes that differ.
fn kernel(first: u8, length: usize) -> Vec<u8> {
    (0..length).map(|n| first.wrapping_add((n / 7) as u8)).collect()
}

/// Whether these are in place, and nothing else behind the kernel.
#[track_caller]
fn has(rig: &Rig, kernel: &[u8], initrd: &[u8], cmdline: &str) {
    let ram = rig.ram(1);
    assert!(ram[KERNEL..KERNEL + kernel.len()] == *kernel, "the kernel");
    let holds = |wanted: &[u8]| wanted.is_empty() || ram.windows(wanted.len()).any(|bytes| bytes == wanted);
    assert!(holds(initrd), "the RAM disk");
    assert!(holds(format!("{cmdline}\0").as_bytes()), "the command line");
}

#[test]
fn with_a_store_it_starts_as_often_as_it_likes() {
    let rig = rig(2 << 20);
    assert_eq!(status(&rig, START, [A, 0, 0]), NO_IMAGE);
    let lines = shown(&rig);
    assert!(
        lines.contains("a: not started: it has no image; load one from the control VM: `portcullis load a"),
        "{lines}"
    );
    let (first, disk) = (kernel(1, 70_000), kernel(99, 5000));
    assert_eq!(load(&rig, &stream(&first, &disk, "console=ttyAMA0 first")), SUCCESS);
    assert_eq!(rig.vm(1).state().action, Action::None);
    assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &first, &disk, "console=ttyAMA0 first");
    for _ in 0..2 {
        assert_eq!(load(&rig, &stream(&first, &[], "")), BAD_STATE, "it runs");
        let at = (rig.vm(1).memory.start as usize + KERNEL) as *mut u8;
        // SAFETY: it is the VM's RAM, whose core does nothing now.
        unsafe { core::ptr::write_bytes(at, 0, 100) };
        assert_eq!(status(&rig, RESTART, [A, 0, 0]), SUCCESS);
        assert!(begins(&rig));
        has(&rig, &first, &disk, "console=ttyAMA0 first");
    }
    // Another one in its place, without a command line: the manifest's.
    assert_eq!(status(&rig, STOP, [A, 0, 0]), SUCCESS);
    let second = kernel(2, 40_000);
    assert_eq!(load(&rig, &stream(&second, &[], "")), SUCCESS);
    assert_eq!(status(&rig, RESTART, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &second, &[], "quiet");
    // It stays over what makes everything else new.
    assert_eq!(status(&rig, STOP, [A, 0, 0]), SUCCESS);
    assert_eq!(status(&rig, RECREATE, [A, 0, 0]), SUCCESS);
    for _ in 0..400 {
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    assert_eq!(rig.vm(1).phase(), Phase::Created);
    assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &second, &[], "quiet");
}

#[test]
fn a_vm_that_fails_starts_again_from_its_store_and_without_one_it_fails_for_good() {
    for (store, again) in [(2 << 20, true), (0, false)] {
        let mut a = VmConfig { kernel: &[], store: Some(store), ..vm("a", &[1]) };
        (a.settings.autostart, a.settings.restart_limit) = (false, 1);
        let rig = Rig::on(Parts::new(), GicVersion::V3, &[vm("ops", &[0]), a]);
        rig.settle();
        let image = kernel(3, 10_000);
        assert_eq!(load(&rig, &stream(&image, &[], "")), SUCCESS);
        assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
        assert!(begins(&rig));
        let failure = Failure { reason: Reason::Access, vcpu: 0, syndrome: 0, pc: 0, address: 0 };
        rig.at(1, || rig.vm(1).fail(failure));
        rig.settle();
        assert_eq!(begins(&rig), again);
        if !again {
            assert_eq!(rig.vm(1).failure().map(|failure| failure.reason), Some(Reason::Load));
        }
    }
}

#[test]
fn without_a_store_it_starts_once() {
    let rig = rig(0);
    assert_eq!(status(&rig, START, [A, 0, 0]), NO_IMAGE);
    // What somebody has left there goes.
    rig.soil(1, 0xee);
    let (image, disk) = (kernel(1, 70_000), kernel(99, 5000));
    assert_eq!(load(&rig, &stream(&image, &disk, "")), SUCCESS);
    assert_eq!(load(&rig, &stream(&image, &disk, "again")), SUCCESS, "another one before its start");
    assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &image, &disk, "again");
    let others = [0..KERNEL, KERNEL + image.len()..KERNEL + image.len() + 4096];
    assert!(
        others.into_iter().all(|range| rig.ram(1)[range].iter().all(|byte| *byte == 0)),
        "nothing of what was there"
    );
    assert_eq!(status(&rig, RESTART, [A, 0, 0]), NO_IMAGE);
    assert_eq!(rig.vm(1).phase(), Phase::Running, "nothing has happened to it");
    assert_eq!(status(&rig, STOP, [A, 0, 0]), SUCCESS);
    assert_eq!(status(&rig, RESTART, [A, 0, 0]), NO_IMAGE);
    let next = kernel(5, 9000);
    assert_eq!(load(&rig, &stream(&next, &[], "")), SUCCESS);
    assert_eq!(status(&rig, RESTART, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &next, &[], "quiet");
    // Made anew it has none.
    assert_eq!(status(&rig, STOP, [A, 0, 0]), SUCCESS);
    assert_eq!(load(&rig, &stream(&next, &[], "")), SUCCESS);
    assert_eq!(status(&rig, RECREATE, [A, 0, 0]), SUCCESS);
    for _ in 0..400 {
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    assert_eq!(status(&rig, START, [A, 0, 0]), NO_IMAGE);
}

#[test]
fn what_is_wrong_is_refused_and_leaves_what_was_there() {
    let rig = rig(2 << 20);
    assert_eq!(status(&rig, LOAD, [0, 100, 0]), NOT_PERMITTED, "it has an image of its own");
    assert_eq!(status(&rig, LOAD, [7, 100, 0]), UNKNOWN_VM);
    let image = kernel(1, 300_000);
    let good = stream(&image, &[], "first");
    assert_eq!(load(&rig, &good), SUCCESS);
    let reason = |rig: &Rig| {
        let mut text = Vec::new();
        while let [0, next, low, high] = call(rig, TRANSFER_REASON, [text.len() as u64, 0, 0]) {
            let bytes = [low.to_le_bytes(), high.to_le_bytes()].concat();
            text.extend(&bytes[..(next >> 56) as usize]);
        }
        String::from_utf8(text).unwrap()
    };
    // Damaged on its way: the CRC is the last thing that is looked at.
    let mut damaged = stream(&kernel(2, 300_000), &[], "second");
    damaged[200_000] ^= 1;
    assert_eq!(load(&rig, &damaged), CORRUPT);
    assert!(reason(&rig).contains("the images are damaged"), "{}", reason(&rig));
    assert_eq!(load(&rig, b"this is no image at all, but it is longer than its head"), CORRUPT);
    let mut big_endian = kernel(0, 4096);
    big_endian[56..60].copy_from_slice(b"ARM\x64");
    big_endian[24] = 1;
    assert_eq!(load(&rig, &stream(&big_endian, &[], "")), CORRUPT);
    assert!(reason(&rig).contains("big-endian"), "{}", reason(&rig));
    // More than the VM's RAM, and more than the store.
    assert_eq!(load(&rig, &stream(&kernel(0, 1_800_000), &[], "")), NO_ROOM);
    assert!(reason(&rig).contains("give it more"), "{}", reason(&rig));
    assert_eq!(status(&rig, LOAD, [A, 5000, 0]), SUCCESS);
    for request in [START, RECREATE, LOAD, SAVE] {
        assert_eq!(status(&rig, request, [A, 0, 0]), BUSY, "{request:#x}");
    }
    assert_eq!(call(&rig, VM_STATE, [A, 0, 0])[1] >> 8 & 0xff, PROGRESS_RECEIVING);
    assert_eq!(status(&rig, TRANSFER_END, [0; 3]), SUCCESS);
    assert_eq!(call(&rig, TRANSFER_STATE, [0; 3])[1..], [TRANSFER_LOAD | A << 8, 0, CLOSED.cast_unsigned()]);
    // All the while the first one is there.
    assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &image, &[], "first");
}

/// Without a store there is one place, whatever the VM's RAM had before: images that come are over what was loaded last.
#[test]
fn a_load_that_fails_leaves_nothing_that_starts_if_there_is_no_store() {
    let image = kernel(1, 70_000);
    let good = stream(&image, &[], "");
    let mut damaged = stream(&kernel(2, 60_000), &[], "");
    damaged[50_000] ^= 1;
    let lives = |rig: &Rig| {
        assert_eq!(load(rig, &stream(&kernel(9, 5000), &[], "")), SUCCESS);
        assert_eq!(status(rig, START, [A, 0, 0]), SUCCESS);
        assert!(begins(rig));
        assert_eq!(status(rig, STOP, [A, 0, 0]), SUCCESS);
    };
    let before: [&dyn Fn(&Rig); 3] = [&|_| {}, &mover::created, &lives];
    let fails: [&dyn Fn(&Rig); 3] = [
        &|rig| assert_eq!(load(rig, &damaged), CORRUPT),
        &|rig| assert_eq!(load(rig, b"this is no image at all, but it is longer than its head"), CORRUPT),
        &|rig| {
            assert_eq!(status(rig, LOAD, [A, 5000, 0]), SUCCESS);
            assert_eq!(status(rig, TRANSFER_END, [0; 3]), SUCCESS);
        },
    ];
    for prepare in before {
        let rig = rig(0);
        prepare(&rig);
        let starts = if rig.vm(1).phase() == Phase::Created { START } else { RESTART };
        for fail in fails {
            assert_eq!(load(&rig, &good), SUCCESS);
            fail(&rig);
            assert_eq!((rig.vm(1).state().action, status(&rig, starts, [A, 0, 0])), (Action::None, NO_IMAGE));
        }
        assert_eq!(load(&rig, &good), SUCCESS);
        assert_eq!(status(&rig, starts, [A, 0, 0]), SUCCESS);
        assert!(begins(&rig));
        has(&rig, &image, &[], "quiet");
    }
}

/// A stream leaves out pages of zeros: those are zero, whatever was loaded into the VM that it makes another one.
#[test]
fn a_vm_that_is_restored_has_nothing_of_what_was_loaded_before() {
    for store in [0, 2 << 20] {
        let rig = rig(store);
        assert_eq!(load(&rig, &stream(&kernel(1, 5000), &[], "")), SUCCESS);
        assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
        assert!(begins(&rig));
        mover::pause(&rig);
        let saved = mover::save(&rig, LENGTH);
        let ram = rig.ram(1).to_vec();
        mover::recreate(&rig);
        assert_eq!(load(&rig, &stream(&kernel(2, 90_000), &kernel(3, 70_000), "")), SUCCESS);
        assert_eq!(mover::restore(&rig, &saved, LENGTH), SUCCESS);
        assert!(rig.ram(1) == ram, "its RAM is what was saved");
        // What is in a store was loaded here, and stays; in its RAM is what was saved, of which nothing begins anew.
        let again = if store == 0 { NO_IMAGE } else { SUCCESS };
        assert_eq!(status(&rig, RESTART, [A, 0, 0]), again);
        if store != 0 {
            assert!(begins(&rig));
            has(&rig, &kernel(2, 90_000), &kernel(3, 70_000), "quiet");
        }
    }
}

#[test]
fn a_piece_that_cannot_be_done_ends_the_load() {
    for store in [0, 2 << 20] {
        let rig = rig(store);
        let image = kernel(1, 70_000);
        let bytes = stream(&image, &[], "");
        assert_eq!(status(&rig, LOAD, [A, bytes.len() as u64, 0]), SUCCESS);
        rig.at(0, || {
            let mut transfer = Machine::get().transfers.wait().unwrap();
            // More than there is.
            (transfer.target.clear, transfer.target.cleared) = (16 << 20, 8 << 20);
        });
        assert_eq!(status(&rig, TRANSFER, [BUFFER, 4096, 0]), BAD_STATE);
        assert_eq!(rig.vm(1).state().action, Action::None);
        assert_eq!(call(&rig, TRANSFER_STATE, [0; 3])[1..], [TRANSFER_LOAD | A << 8, 0, BAD_STATE.cast_unsigned()]);
        assert_eq!(status(&rig, START, [A, 0, 0]), NO_IMAGE);
        assert_eq!(load(&rig, &bytes), SUCCESS);
        assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
        assert!(begins(&rig));
        has(&rig, &image, &[], "quiet");
    }
}

/// A store without room for both: the former images go when the new ones are found to fit, and it says so.
#[test]
fn one_that_takes_the_place_of_the_former_and_fails_leaves_none() {
    let rig = rig(2 << 20);
    let image = kernel(1, 1_100_000);
    assert_eq!(load(&rig, &stream(&image, &[], "")), SUCCESS);
    shown(&rig);
    let mut damaged = stream(&kernel(2, 1_100_000), &[], "");
    let last = damaged.len() - 20;
    damaged[last] ^= 1;
    assert_eq!(load(&rig, &damaged), CORRUPT);
    let lines = shown(&rig);
    assert!(
        lines.contains("the images that it had are gone") && lines.contains("not loaded: the images are damaged"),
        "{lines}"
    );
    assert_eq!(status(&rig, START, [A, 0, 0]), NO_IMAGE);
    assert_eq!(load(&rig, &stream(&image, &[], "")), SUCCESS);
    assert_eq!(status(&rig, START, [A, 0, 0]), SUCCESS);
    assert!(begins(&rig));
    has(&rig, &image, &[], "quiet");
}
