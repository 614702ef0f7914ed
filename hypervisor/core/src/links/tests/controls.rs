//! Management calls by the control VM's port.

use std::cell::RefCell;

use portcullis_abi::firmware::STD;
use portcullis_abi::manage::*;
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::{CONFIG, QUEUE_NOTIFY, STATUS};

use super::ports::{OPEN, Ports, message};
use super::serial::with_console;
use crate::devices::emulated::Emulated;
use crate::links::Managing;
use crate::links::serial::Serial;
use crate::manage::port::managing;
use crate::tests::rig::{Rig, vm};

/// The control VM `ops` and one that has not started, and the driver of the former's port.
fn machine() -> (Rig, Ports) {
    let mut b = vm("b", &[1]);
    b.settings.autostart = false;
    let rig = Rig::with_controls(GicVersion::V3, &[with_console("ops", 0), b], Vec::new());
    rig.settle();
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 1);
    (rig, ports)
}

/// The same with a program that has it open.
fn open() -> (Rig, Ports) {
    let (rig, mut ports) = machine();
    ports.say(&rig, 0, OPEN, 1);
    rig.settle();
    (rig, ports)
}

pub fn bytes(words: [u64; 4]) -> Vec<u8> {
    words.map(u64::to_le_bytes).concat()
}

pub fn words(bytes: &[u8]) -> Vec<[u64; 4]> {
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    bytes.chunks(32).map(|answer| [0, 8, 16, 24].map(|at| word(&answer[at..at + 8]))).collect()
}

fn status(code: i64) -> [u64; 4] {
    [code.cast_unsigned(), 0, 0, 0]
}

/// What a request is answered.
pub fn ask(rig: &Rig, ports: &mut Ports, request: [u64; 4]) -> [u64; 4] {
    ports.room(rig, 0, 1, 4096);
    ports.send(rig, 0, &bytes(request));
    rig.settle();
    let [answer] = words(&ports.got(rig, 0))[..] else { panic!("one answer") };
    assert_eq!(ports.back(rig, 0), 1, "the request is given back");
    answer
}

#[test]
fn the_port_is_there_with_its_name_and_open_on_this_side() {
    let (rig, mut ports) = machine();
    assert_eq!(ports.guest.read(&rig, CONFIG + 4), 4, "this one, those of events and data, and that of VM b's console");
    let added = (0..4).map(|port| message(port, 1, 0));
    let expected: Vec<_> = added.chain([[&message(0, 7, 1)[..], b"portcullis"].concat()]).collect();
    assert_eq!(ports.told[..5], expected);
    rig.settle();
    let mut told = ports.told.split_off(5);
    told.extend(ports.hear(&rig));
    assert_eq!(told, [message(0, OPEN, 1)]);
    // A program closes, and another one opens: nothing is told of that.
    for value in [1, 0, 1] {
        ports.say(&rig, 0, OPEN, value);
    }
    rig.settle();
    assert_eq!(ports.hear(&rig), [[0; 0]; 0]);
}

#[test]
fn a_vm_that_is_not_the_control_vm_has_no_such_port() {
    let configs = [with_console("ops", 0), with_console("b", 1)];
    let rig = Rig::with_controls(GicVersion::V2, &configs, vec![Serial::new("uplink", [0, 1])]);
    rig.settle();
    let [mut ops, mut b] = [0, 1].map(|vm| Ports::new(vm, vm));
    ops.begin(&rig, 2);
    b.begin(&rig, 1);
    assert!(ops.told.contains(&[&message(1, 7, 1)[..], b"portcullis"].concat()), "behind its other ports");
    assert_eq!(b.guest.read(&rig, CONFIG + 4), 1, "one port");
    ops.say(&rig, 1, OPEN, 1);
    ops.room(&rig, 1, 1, 4096);
    ops.send(&rig, 1, &bytes([MACHINE.into(), 0, 0, 0]));
    rig.settle();
    assert_eq!(words(&ops.got(&rig, 1))[0][..2], [0, 2], "two VMs");
}

#[test]
fn calls_are_those_of_the_interface() {
    let (rig, mut ports) = open();
    let version = u64::from(ABI_VERSION);
    assert_eq!(ask(&rig, &mut ports, [VERSION.into(), version, 0, 0])[..2], [0, version]);
    assert_eq!(ask(&rig, &mut ports, [VM_NAME.into(), 1, 0, 0]), [0, u64::from(b'b'), 0, 0]);
    assert_eq!(ask(&rig, &mut ports, [REGISTER_SET.into(), 1, STD, 0]), [0; 4]);
    assert_eq!(ask(&rig, &mut ports, [REGISTER_GET.into(), 1, STD, 0]), [0; 4]);
    assert_eq!(ask(&rig, &mut ports, [REGISTER_SET.into(), 1, STD, 2]), status(UNSUPPORTED));
    assert_eq!(ask(&rig, &mut ports, [REGISTER_GET.into(), 7, STD, 0]), status(UNKNOWN_VM));
    assert_eq!(ask(&rig, &mut ports, [PAUSE.into(), 0, 0, 0]), status(NOT_PERMITTED), "it is the caller's own");
    let unknown = [0, 1, 0x8400_0000, u64::from(BASE) + 0xfff, u64::from(MACHINE) | 1 << 32, u64::MAX];
    for function in unknown {
        assert_eq!(ask(&rig, &mut ports, [function, 0, 0, 0]), status(UNKNOWN_CALL), "{function:#x}");
    }
    assert_eq!(ask(&rig, &mut ports, [START.into(), 1, 0, 0]), [0; 4]);
    rig.settle();
    let state = ask(&rig, &mut ports, [VM_STATE.into(), 1, 0, 0]);
    assert_eq!(state[1] & 0xffff, PHASE_RUNNING);
    assert_eq!(ask(&rig, &mut ports, [REGISTER_SET.into(), 1, STD, 1]), status(FROZEN));
    assert_eq!(ask(&rig, &mut ports, [STOP.into(), 1, 0, 0]), [0; 4]);
    rig.settle();
    assert_eq!(ask(&rig, &mut ports, [RECREATE.into(), 1, 0, 0]), [0; 4]);
    rig.settle();
    assert_eq!(ask(&rig, &mut ports, [REGISTER_SET.into(), 1, STD, 1]), [0; 4]);
}

#[test]
fn a_buffer_that_is_no_whole_number_of_requests_has_one_answer_and_does_nothing() {
    let (rig, mut ports) = open();
    let request = bytes([REGISTER_SET.into(), 1, STD, 0]);
    for length in [1, 31, 33, 63, 95] {
        ports.room(&rig, 0, 4, 4096);
        ports.send(&rig, 0, &request.repeat(3)[..length]);
        rig.settle();
        assert_eq!((words(&ports.got(&rig, 0)), ports.back(&rig, 0)), (vec![status(BAD_ARGUMENT)], 1), "{length}");
        // The buffers that are left are for the next.
        ports.send(&rig, 0, &bytes([MACHINE.into(), 0, 0, 0]).repeat(3));
        rig.settle();
        assert_eq!((words(&ports.got(&rig, 0)).len(), ports.back(&rig, 0)), (3, 1), "{length}");
    }
    assert_eq!(ask(&rig, &mut ports, [REGISTER_GET.into(), 1, STD, 0]), [0, 1, 0, 0], "nothing was set");
}

#[test]
fn many_requests_are_answered_in_their_order_in_pieces() {
    let (rig, mut ports) = open();
    let request = |index: u64| bytes([REGISTER_LIST.into(), 1, index, 0]);
    ports.room(&rig, 0, 30, 64);
    ports.queue(&rig, 0, &(0..7).flat_map(request).collect::<Vec<u8>>());
    (7..10).for_each(|index| ports.queue(&rig, 0, &request(index)));
    ports.notify(&rig, 0);
    rig.settle();
    let ids: Vec<u64> = words(&ports.got(&rig, 0)).iter().map(|answer| answer[1]).collect();
    assert_eq!((ids, ports.back(&rig, 0)), (portcullis_abi::firmware::ALL.to_vec(), 4));
}

#[test]
fn no_request_is_taken_while_its_answer_has_no_room() {
    let (rig, mut ports) = open();
    let set = |value: u64| bytes([REGISTER_SET.into(), 1, STD, value]);
    ports.room(&rig, 0, 1, 64);
    ports.send(&rig, 0, &[set(1), set(0), set(2)].concat());
    rig.settle();
    assert_eq!((words(&ports.got(&rig, 0)), ports.back(&rig, 0)), (vec![[0; 4]], 0));
    assert_eq!(rig.vm(1).row.get(portcullis_gate::Register::Std), 1, "the second was not done");
    ports.room(&rig, 0, 2, 64);
    ports.notify_room(&rig, 0);
    rig.settle();
    assert_eq!((words(&ports.got(&rig, 0)), ports.back(&rig, 0)), (vec![[0; 4], status(UNSUPPORTED)], 1));
    assert_eq!(rig.vm(1).row.get(portcullis_gate::Register::Std), 0);
}

#[test]
fn a_close_drops_what_was_not_answered() {
    let (rig, mut ports) = open();
    let set = bytes([REGISTER_SET.into(), 1, STD, 0]);
    for _ in 0..3 {
        ports.send(&rig, 0, &set);
    }
    rig.settle();
    assert_eq!(ports.back(&rig, 0), 0, "there was no room");
    ports.say(&rig, 0, OPEN, 0);
    // Sent by nobody, it waits for who opens next.
    ports.room(&rig, 0, 4, 64);
    ports.send(&rig, 0, &bytes([REGISTER_GET.into(), 1, STD, 0]));
    rig.settle();
    assert_eq!((words(&ports.got(&rig, 0)), ports.back(&rig, 0)), (vec![], 3));
    ports.say(&rig, 0, OPEN, 1);
    rig.settle();
    assert_eq!((words(&ports.got(&rig, 0)), ports.back(&rig, 0)), (vec![[0, 1, 0, 0]], 1), "nothing was set");
}

std::thread_local! {
    /// What happens while a request is answered.
    static MEANWHILE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

fn answer_meanwhile(request: Option<[u64; 4]>) -> [u64; 4] {
    let answer = (managing(0).serve)(request);
    MEANWHILE.with(RefCell::take).into_iter().for_each(|happens| happens());
    answer
}

/// A program closes the port while a core answers it, and the next one opens it and asks: what the first is answered is for nobody,
/// and the other one's request is not lost.
#[test]
fn an_answer_is_for_who_has_asked_or_for_nobody() {
    let rig = Rig::with_managing(
        GicVersion::V3,
        &[with_console("ops", 0), vm("b", &[1])],
        Managing { serve: answer_meanwhile, ..managing(0) },
    );
    rig.settle();
    let mut ports = Ports::new(0, 0);
    ports.begin(&rig, 1);
    ports.say(&rig, 0, OPEN, 1);
    rig.settle();
    ports.hear(&rig);
    ports.said_back(&rig);
    ports.room(&rig, 0, 4, 64);
    ports.queue(&rig, 0, &bytes([VM_NAME.into(), 0, 0, 0]));
    // The other one's request lies there, but is not in the ring yet.
    ports.queue(&rig, 0, &bytes([VM_NAME.into(), 1, 0, 0]));
    ports.guest.run_ahead(&rig, 1, u16::MAX);
    for value in [0, 1] {
        ports.guest.give(&rig, 3, &[&message(0, OPEN, value)]);
    }
    let (ops, index) = (rig.vm(0), ports.guest.queues[1].layout.available + 2);
    MEANWHILE.set(Some(Box::new(move || {
        ops.links.unwrap().write(ops, QUEUE_NOTIFY, 4, 3);
        ops.memory_on(0).unwrap().store(index, &2_u16.to_le_bytes()).unwrap();
    })));
    ports.notify(&rig, 0);
    rig.settle();
    assert_eq!(ports.said_back(&rig), 2);
    assert_eq!(words(&ports.got(&rig, 0)), [[0, u64::from(b'b'), 0, 0]], "that of the program which has it open");
    assert_eq!(ports.back(&rig, 0), 2);
    assert!(MEANWHILE.take().is_none());
}

#[test]
fn a_driver_at_fault_needs_a_reset_and_goes_on_after_it() {
    let (rig, mut ports) = open();
    ports.room(&rig, 0, 1, 31);
    ports.send(&rig, 0, &bytes([REGISTER_SET.into(), 1, STD, 0]));
    rig.settle();
    assert_eq!(ports.guest.read(&rig, STATUS), 0x4f);
    let lines = rig.parts.line.take_shown();
    assert!(lines.contains("ops: serial port portcullis: receive queue: "), "{lines}");
    assert_eq!(rig.vm(1).row.get(portcullis_gate::Register::Std), 1, "nothing was done");
    ports.begin(&rig, 1);
    ports.say(&rig, 0, OPEN, 1);
    assert_eq!(ask(&rig, &mut ports, [REGISTER_GET.into(), 1, STD, 0]), [0, 1, 0, 0]);
}

/// The control VM stops itself in the middle of what it asks, and starts again: as after any reset of the driver.
#[test]
fn the_control_vm_restarts_itself_by_its_port() {
    let (rig, mut ports) = open();
    ports.room(&rig, 0, 2, 64);
    ports.send(&rig, 0, &[bytes([RESTART.into(), 0, 0, 0]), bytes([REGISTER_SET.into(), 1, STD, 0])].concat());
    rig.settle();
    assert!(rig.is_in_guest(0), "it has started again");
    assert_eq!(ports.guest.read(&rig, STATUS), 0, "its devices are as out of reset");
    ports.begin(&rig, 1);
    ports.say(&rig, 0, OPEN, 1);
    assert_eq!(ask(&rig, &mut ports, [VM_NAME.into(), 0, 0, 0])[1], u64::from_le_bytes(*b"ops\0\0\0\0\0"));
}
