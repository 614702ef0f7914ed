//! A VM that is saved and restored by the control VM's port of data.

use portcullis_abi::manage::*;
use portcullis_abi::map::RAM;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_bundle::{Settings, VmConfig};
use portcullis_vgic::GicVersion;

use super::controls::ask;
use super::ports::{OPEN, Ports};
use super::serial::with_console;
use crate::tests::guest::hvc;
use crate::tests::rig::{Rig, SETTINGS, results, vm};
use crate::vm::state::{Action, Phase};

/// The ports: that of calls, and that of data.
const CALLS: usize = 0;
const DATA: usize = 2;
/// The VM that is moved.
const A: u64 = 1;
/// A buffer in the control VM's RAM, behind those of its driver.
const BUFFER: u64 = RAM + 0x1f_0000;
const LENGTH: usize = 32 << 10;

fn machine(gic: GicVersion) -> (Rig, Ports) {
    let a = VmConfig { settings: Settings { movable: true, ..SETTINGS }, ..vm("a", &[1]) };
    let rig = Rig::with_controls(gic, &[with_console("ops", 0), a, vm("b", &[2])], Vec::new());
    rig.settle();
    until(&rig, || rig.is_in_guest(1));
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 3);
    set(&rig, &mut ports, CALLS, true);
    (rig, ports)
}

/// Lets the VM's core go on.
fn until(rig: &Rig, done: impl Fn() -> bool) {
    for _ in 0..400 {
        if done() {
            return;
        }
        rig.advance(5_000);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    panic!("it never came to that: {:?}", rig.vm(1).state());
}

/// A program opens a port, or closes it.
fn set(rig: &Rig, ports: &mut Ports, port: usize, open: bool) {
    ports.say(rig, port as u32, OPEN, open.into());
    rig.settle();
}

/// Opens the port of data anew.
fn reopen(rig: &Rig, ports: &mut Ports) {
    set(rig, ports, DATA, false);
    set(rig, ports, DATA, true);
}

fn call(rig: &Rig, ports: &mut Ports, function: u32, arguments: [u64; 3]) -> [u64; 4] {
    let [x1, x2, x3] = arguments;
    let answer = ask(rig, ports, [function.into(), x1, x2, x3]);
    rig.settle();
    answer
}

fn status(rig: &Rig, ports: &mut Ports, function: u32, vm: u64) -> i64 {
    call(rig, ports, function, [vm, 0, 0])[0].cast_signed()
}

/// What the last transfer was, whether it goes on, how many bytes, and its status.
fn state(rig: &Rig, ports: &mut Ports) -> (u64, bool, u64, i64) {
    let [_, what, bytes, status] = call(rig, ports, TRANSFER_STATE, [0; 3]);
    assert_eq!(what >> 8 & 0xff, A);
    assert_ne!(what & TRANSFER_BY_PORT, 0);
    (what & 0xff, what & TRANSFER_GOES_ON != 0, bytes, status.cast_signed())
}

/// Why it has failed.
fn reason(rig: &Rig, ports: &mut Ports) -> String {
    let (mut text, mut position) = (Vec::new(), 0);
    loop {
        let [status, next, low, high] = call(rig, ports, TRANSFER_REASON, [position, 0, 0]);
        if status.cast_signed() == NO_ITEM {
            return String::from_utf8(text).unwrap();
        }
        let bytes = [low.to_le_bytes(), high.to_le_bytes()].concat();
        text.extend(&bytes[..(next >> 56) as usize]);
        position = next & ((1 << 56) - 1);
    }
}

fn pause(rig: &Rig, ports: &mut Ports) {
    assert_eq!(status(rig, ports, PAUSE, A), SUCCESS);
    assert_eq!(rig.vm(1).phase(), Phase::Paused);
}

fn recreate(rig: &Rig, ports: &mut Ports) {
    assert_eq!(status(rig, ports, STOP, A), SUCCESS);
    assert_eq!(status(rig, ports, RECREATE, A), SUCCESS);
    until(rig, || rig.vm(1).phase() == Phase::Created && rig.vm(1).state().action == Action::None);
}

/// What comes by the port, through so many buffers of so many bytes at a time, until the transfer has ended.
fn receive(rig: &Rig, ports: &mut Ports, count: usize, length: u32) -> Vec<u8> {
    let mut stream = Vec::new();
    while {
        ports.room(rig, DATA, count, length);
        ports.notify_room(rig, DATA);
        rig.settle();
        stream.extend(ports.got(rig, DATA));
        state(rig, ports).1
    } {}
    stream
}

fn save(rig: &Rig, ports: &mut Ports, count: usize, length: u32) -> Vec<u8> {
    reopen(rig, ports);
    assert_eq!(status(rig, ports, SAVE, A), SUCCESS);
    let stream = receive(rig, ports, count, length);
    assert_eq!(state(rig, ports), (TRANSFER_SAVE, false, stream.len() as u64, SUCCESS));
    stream
}

/// Sends bytes by the port, so many buffers of so many bytes at a time. All of them are taken.
fn send(rig: &Rig, ports: &mut Ports, bytes: &[u8], count: usize, length: usize) {
    for buffers in bytes.chunks(count * length) {
        buffers.chunks(length).for_each(|buffer| ports.queue(rig, DATA, buffer));
        ports.notify(rig, DATA);
        rig.settle();
        assert_eq!(ports.back(rig, DATA), buffers.chunks(length).count());
    }
}

/// The same stream by HVC, whose bytes go through a buffer in the caller's RAM.
fn saved_by_hvc(rig: &Rig) -> Vec<u8> {
    let call = |function: u32, x1, x2| {
        let outcome = rig.guest(0, move |context| hvc(context, [function.into(), x1, x2, 0]));
        rig.settle();
        results(outcome)
    };
    assert_eq!(call(SAVE, A, 0)[0], 0);
    let mut stream = Vec::new();
    loop {
        let [status, bytes, progress, _] = call(TRANSFER, BUFFER, LENGTH as u64);
        assert_eq!(status, 0);
        let at = (BUFFER - RAM) as usize;
        stream.extend_from_slice(&rig.ram(0)[at..at + bytes as usize]);
        if progress == TRANSFER_DONE {
            return stream;
        }
    }
}

#[test]
fn a_vm_goes_there_and_back_as_the_same_stream_as_by_hvc() {
    for gic in [GicVersion::V3, GicVersion::V2] {
        let (rig, mut ports) = machine(gic);
        let range = rig.vm(1).memory;
        // SAFETY: it is the VM's RAM, whose core does nothing now.
        unsafe { core::ptr::write_bytes((range.start + 0x18_0000) as *mut u8, 0x5a, 50_000) };
        pause(&rig, &mut ports);
        let expected = saved_by_hvc(&rig);
        for (count, length) in [(8, 4096), (1, 4096), (3, 1000), (1, 40_000)] {
            assert!(save(&rig, &mut ports, count, length) == expected, "{count} of {length}");
            assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Paused, Action::None));
        }
        for (count, length) in [(4, 4096), (1, 999), (1, LENGTH)] {
            recreate(&rig, &mut ports);
            reopen(&rig, &mut ports);
            assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
            send(&rig, &mut ports, &expected, count, length);
            let done = (TRANSFER_RESTORE, false, expected.len() as u64, SUCCESS);
            assert_eq!(state(&rig, &mut ports), done, "{count} of {length}");
            assert_eq!(rig.vm(1).phase(), Phase::Paused);
            assert!(save(&rig, &mut ports, 8, 4096) == expected);
        }
        assert_eq!(status(&rig, &mut ports, RESUME, A), SUCCESS);
        until(&rig, || rig.is_in_guest(1));
    }
}

#[test]
fn a_close_in_the_middle_gives_up_and_the_next_one_begins_anew() {
    let (rig, mut ports) = machine(GicVersion::V3);
    pause(&rig, &mut ports);
    let stream = save(&rig, &mut ports, 8, 4096);
    // One that is saved stays paused.
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS);
    ports.room(&rig, DATA, 1, 4096);
    ports.notify_room(&rig, DATA);
    rig.settle();
    assert_eq!(rig.vm(1).state().action, Action::Save);
    set(&rig, &mut ports, DATA, false);
    assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Paused, Action::None));
    let (what, goes_on, bytes, ended) = state(&rig, &mut ports);
    assert_eq!((what, goes_on, ended), (TRANSFER_SAVE, false, CLOSED));
    assert!(bytes > 0 && bytes < stream.len() as u64);
    ports.got(&rig, DATA);
    assert!(save(&rig, &mut ports, 8, 4096) == stream, "the next reader has all of it and nothing else");
    // One that is restored is created again, and what was sent for it is not the next one's.
    recreate(&rig, &mut ports);
    let (first, second) = stream.split_at(5000);
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
    send(&rig, &mut ports, first, 1, 4096);
    ports.queue(&rig, DATA, &second[..1000]);
    set(&rig, &mut ports, DATA, false);
    assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Created, Action::None));
    assert_eq!(state(&rig, &mut ports), (TRANSFER_RESTORE, false, first.len() as u64, CLOSED));
    set(&rig, &mut ports, DATA, true);
    assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
    rig.settle();
    assert_eq!(ports.back(&rig, DATA), 1, "it is given back");
    send(&rig, &mut ports, &stream, 4, 4096);
    assert_eq!(state(&rig, &mut ports), (TRANSFER_RESTORE, false, stream.len() as u64, SUCCESS));
}

/// A program that closes, and the next one that opens and begins, before anybody has looked at the port.
#[test]
fn one_that_closes_and_one_that_opens_at_once_are_told_apart() {
    let (rig, mut ports) = machine(GicVersion::V3);
    pause(&rig, &mut ports);
    let stream = save(&rig, &mut ports, 8, 4096);
    assert_eq!(status(&rig, &mut ports, SAVE, A), CLOSED, "one has had its transfer");
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS);
    // A driver throws away what has come for the program that closes.
    ports.got(&rig, DATA);
    for open in [0, 1] {
        ports.say(&rig, DATA as u32, OPEN, open);
    }
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS, "that of the former has ended");
    assert!(receive(&rig, &mut ports, 8, 4096) == stream);
}

#[test]
fn there_is_one_transfer_at_a_time_and_what_it_is_about_is_busy() {
    let (rig, mut ports) = machine(GicVersion::V3);
    assert_eq!(status(&rig, &mut ports, SAVE, A), CLOSED, "nobody has the port of data open");
    set(&rig, &mut ports, DATA, true);
    assert_eq!(status(&rig, &mut ports, SAVE, 7), UNKNOWN_VM);
    assert_eq!(status(&rig, &mut ports, SAVE, 2), NOT_PERMITTED);
    assert_eq!(status(&rig, &mut ports, SAVE, A), BAD_STATE, "it runs");
    pause(&rig, &mut ports);
    assert_eq!(call(&rig, &mut ports, TRANSFER_STATE, [0; 3]), [0; 4], "there was none");
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS, "what was refused has used nothing up");
    for request in [RESUME, STOP, RESTART] {
        assert_eq!(status(&rig, &mut ports, request, A), BUSY, "{request:#x}");
    }
    assert_eq!(call(&rig, &mut ports, TRANSFER, [BUFFER, 4096, 0])[0].cast_signed(), NOT_PERMITTED);
    let by_hvc = |function: u32, x1, x2| {
        let outcome = rig.guest(0, move |context| hvc(context, [function.into(), x1, x2, 0]));
        rig.settle();
        results(outcome)[0].cast_signed()
    };
    assert_eq!([by_hvc(SAVE, A, 0), by_hvc(TRANSFER, BUFFER, 4096)], [BUSY, BAD_STATE]);
    assert!(state(&rig, &mut ports).1, "nothing of that ends it");
    // What comes by calls has nothing to do with the port.
    assert_eq!(status(&rig, &mut ports, TRANSFER_END, 0), SUCCESS);
    assert_eq!(state(&rig, &mut ports), (TRANSFER_SAVE, false, 0, CLOSED));
    assert_eq!(by_hvc(SAVE, A, 0), SUCCESS);
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, SAVE, A), BUSY);
    ports.room(&rig, DATA, 4, 4096);
    ports.notify_room(&rig, DATA);
    send(&rig, &mut ports, &[0x11; 4096], 1, 4096);
    assert_eq!(ports.got(&rig, DATA), [0; 0]);
    assert_eq!([by_hvc(TRANSFER, BUFFER, 4096), by_hvc(TRANSFER_END, 0, 0)], [SUCCESS; 2]);
}

#[test]
fn a_slow_reader_is_waited_for_and_a_vm_that_ends_is_not() {
    let (rig, mut ports) = machine(GicVersion::V3);
    pause(&rig, &mut ports);
    let expected = save(&rig, &mut ports, 8, 4096);
    // Buffers one at a time, of a byte some of them, and none at all for a while.
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS);
    let mut stream = Vec::new();
    for length in (1..40).cycle() {
        rig.advance(100_000);
        rig.settle();
        ports.room(&rig, DATA, 1, length * length);
        ports.notify_room(&rig, DATA);
        rig.settle();
        stream.extend(ports.got(&rig, DATA));
        if stream.len() >= expected.len() {
            break;
        }
    }
    assert!(stream == expected);
    assert_eq!(state(&rig, &mut ports), (TRANSFER_SAVE, false, expected.len() as u64, SUCCESS));
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, SAVE, A), SUCCESS);
    rig.at(0, || rig.vm(1).stop(Action::Off));
    rig.settle();
    assert_eq!(rig.vm(1).phase(), Phase::Stopped);
    ports.room(&rig, DATA, 1, 4096);
    ports.notify_room(&rig, DATA);
    rig.settle();
    assert_eq!(state(&rig, &mut ports), (TRANSFER_SAVE, false, 0, BAD_STATE));
}

#[test]
fn what_is_wrong_with_a_stream_is_told_in_words_and_the_rest_is_dropped() {
    let (rig, mut ports) = machine(GicVersion::V3);
    pause(&rig, &mut ports);
    let stream = save(&rig, &mut ports, 8, 4096);
    recreate(&rig, &mut ports);
    let registers = rig.vm(1).row.profile();
    let mut damaged = stream.clone();
    damaged[100] ^= 1;
    let trailing = [&stream[..], &[0; 20]].concat();
    for (bytes, why) in [
        (&damaged, "section NEEDS: it is damaged"),
        (&stream[1..].to_vec(), "this is no saved VM"),
        (&trailing, "section END: "),
    ] {
        reopen(&rig, &mut ports);
        assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
        send(&rig, &mut ports, bytes, 1, LENGTH);
        let (what, goes_on, _, ended) = state(&rig, &mut ports);
        assert_eq!((what, goes_on, ended), (TRANSFER_RESTORE, false, UNFIT), "{why}");
        let told = reason(&rig, &mut ports);
        assert!(told.starts_with(why), "{told}");
        assert_eq!((rig.vm(1).phase(), rig.vm(1).row.profile()), (Phase::Created, registers));
    }
    assert_eq!(status(&rig, &mut ports, RESTORE, A), CLOSED, "one program, one transfer");
    // One that is cut, and whose reader's device is reset.
    reopen(&rig, &mut ports);
    assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
    assert_eq!(reason(&rig, &mut ports), "");
    send(&rig, &mut ports, &stream[..3000], 1, 1000);
    ports.begin(&rig, 3);
    set(&rig, &mut ports, CALLS, true);
    assert_eq!(state(&rig, &mut ports), (TRANSFER_RESTORE, false, 3000, CLOSED));
    assert_eq!((rig.vm(1).phase(), rig.vm(1).state().action), (Phase::Created, Action::None));
}

/// Bytes that nobody has asked for are taken and dropped, so that no writer waits for ever.
#[test]
fn what_is_sent_before_a_call_is_dropped() {
    let (rig, mut ports) = machine(GicVersion::V2);
    pause(&rig, &mut ports);
    let stream = save(&rig, &mut ports, 8, 4096);
    recreate(&rig, &mut ports);
    reopen(&rig, &mut ports);
    send(&rig, &mut ports, &stream, 4, 4096);
    assert_eq!(rig.vm(1).phase(), Phase::Created);
    assert_eq!(status(&rig, &mut ports, RESTORE, A), SUCCESS);
    send(&rig, &mut ports, &stream, 4, 4096);
    assert_eq!(state(&rig, &mut ports), (TRANSFER_RESTORE, false, stream.len() as u64, SUCCESS));
}
