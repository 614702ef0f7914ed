//! Another VM's console at a port of the control VM.

use portcullis_abi::map;
use portcullis_console::TYPED_MAX;
use portcullis_vgic::GicVersion;
use portcullis_virtio::mmio::registers::CONFIG;

use super::ports::{OPEN, Ports, message};
use super::serial::with_console;
use crate::links::terminal;
use crate::serial::SERIAL;
use crate::tests::board;
use crate::tests::guest::{load, store};
use crate::tests::rig::{Rig, SECOND, vm, x};

/// UARTDR and UARTFR of VM `b`, whose core is 1.
const DATA: u64 = map::UART;
const FLAGS: u64 = map::UART + 0x18;
/// UARTFR.RXFE.
const EMPTY: u64 = 1 << 4;
/// The key that is the serial line's own: Ctrl-].
const ESCAPE: u8 = 0x1d;

/// The control VM `ops` and VM `b`, the driver of the former's ports, and the number of `console.b`.
fn machine(gic: GicVersion) -> (Rig, Ports, usize) {
    let rig = Rig::with_controls(gic, &[with_console("ops", 0), vm("b", &[1])], Vec::new());
    rig.settle();
    let mut ports = Ports::new(0, 0);
    let port = begin(&rig, &mut ports);
    (rig, ports, port)
}

fn begin(rig: &Rig, ports: &mut Ports) -> usize {
    let count = ports.guest.read(rig, CONFIG + 4) as usize;
    ports.begin(rig, count);
    let named = |port: &usize| ports.told.contains(&[&message(*port as u32, 7, 1)[..], b"console.b"].concat());
    (0..count).find(named).expect("there is a port of VM b's")
}

fn open(rig: &Rig, ports: &mut Ports, port: usize, open: bool) {
    ports.say(rig, port as u32, OPEN, u16::from(open));
    rig.settle();
}

/// VM `b` writes.
fn write(rig: &Rig, text: &[u8]) {
    for byte in text.iter().copied() {
        rig.guest(1, move |context| store(context, DATA, byte.into()));
    }
    rig.settle();
}

/// What VM `b` reads until there is nothing.
fn read(rig: &Rig) -> Vec<u8> {
    let mut bytes = Vec::new();
    while x(rig.guest(1, |_| load(FLAGS)), 0) & EMPTY == 0 {
        bytes.push(x(rig.guest(1, |_| load(DATA)), 0) as u8);
    }
    rig.settle();
    bytes
}

/// Somebody types at the serial line.
fn types(rig: &Rig, keys: &[u8]) {
    rig.advance(SECOND);
    rig.parts.line.types(keys);
    rig.interrupt(0, board::SERIAL);
    rig.settle();
}

fn got(rig: &Rig, ports: &mut Ports, port: usize) -> String {
    String::from_utf8(ports.got(rig, port)).unwrap()
}

fn shows(gic: GicVersion) {
    let (rig, mut ports, port) = machine(gic);
    ports.room(&rig, port, 30, 4096);
    write(&rig, b"before\n");
    assert_eq!(got(&rig, &mut ports, port), "", "nobody has it open");
    open(&rig, &mut ports, port, true);
    assert_eq!(got(&rig, &mut ports, port), "before\n");
    write(&rig, b"login: ");
    assert_eq!(got(&rig, &mut ports, port), "login: ", "without an end of the line");
    write(&rig, b"root\n");
    assert_eq!(got(&rig, &mut ports, port), "root\n");
    let shown = rig.parts.line.take_shown();
    assert!(shown.contains("[b] before\r\n") && shown.contains("[b] login: root\r\n"), "{shown}");
    open(&rig, &mut ports, port, false);
    write(&rig, b"after\n");
    assert_eq!(got(&rig, &mut ports, port), "", "it is closed");
    assert!(rig.parts.line.take_shown().ends_with("[b] after\r\n"));
}

#[test]
fn what_a_vm_writes_is_at_the_port_at_once_and_at_the_serial_line_as_ever() {
    shows(GicVersion::V3);
}

#[test]
fn it_is_so_with_a_gicv2() {
    shows(GicVersion::V2);
}

#[test]
fn an_attached_serial_line_and_the_port_both_have_it() {
    let (rig, mut ports, port) = machine(GicVersion::V3);
    ports.room(&rig, port, 30, 4096);
    types(&rig, &[ESCAPE, b'2']);
    open(&rig, &mut ports, port, true);
    assert!(rig.parts.line.take_shown().contains("what is typed for b comes from the port console.b now"));
    write(&rig, b"# ");
    assert_eq!((got(&rig, &mut ports, port), rig.parts.line.take_shown()), ("# ".to_owned(), "# ".to_owned()));
}

#[test]
fn who_was_attached_last_types() {
    let (rig, mut ports, port) = machine(GicVersion::V3);
    ports.room(&rig, port, 30, 4096);
    open(&rig, &mut ports, port, true);
    ports.send(&rig, port, b"by port\r");
    rig.settle();
    assert_eq!((read(&rig), ports.back(&rig, port)), (b"by port\r".to_vec(), 1));
    types(&rig, &[ESCAPE, b'2', b'l']);
    ports.send(&rig, port, b"nobody's");
    rig.settle();
    assert_eq!((read(&rig), ports.back(&rig, port)), (b"l".to_vec(), 1));
    let note = "\r\n[portcullis: what is typed comes from the serial line now; attach again to type here]\r\n";
    assert_eq!(got(&rig, &mut ports, port), note, "said at once");
    ports.send(&rig, port, b"neither");
    rig.settle();
    assert_eq!((ports.back(&rig, port), got(&rig, &mut ports, port)), (1, String::new()), "said once");
    // Attached again by who had it.
    open(&rig, &mut ports, port, false);
    open(&rig, &mut ports, port, true);
    types(&rig, b"not heard");
    ports.send(&rig, port, b"p");
    rig.settle();
    assert_eq!(read(&rig), b"p");
    // What was typed by the terminal's person after that one has left.
    rig.parts.line.take_shown();
    open(&rig, &mut ports, port, false);
    assert!(rig.parts.line.take_shown().contains("what is typed for b comes from here again"));
    types(&rig, b"t");
    assert_eq!(read(&rig), b"t");
    // Detached, the port has it, whenever that was opened.
    open(&rig, &mut ports, port, true);
    types(&rig, &[ESCAPE, b'2']);
    types(&rig, &[ESCAPE, b'0']);
    ports.send(&rig, port, b"again");
    rig.settle();
    assert_eq!(read(&rig), b"again");
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up_and_is_told_what_it_lost() {
    let (rig, mut ports, port) = machine(GicVersion::V3);
    open(&rig, &mut ports, port, true);
    rig.parts.line.take_shown();
    let lines = 3000;
    for number in 0..lines {
        write(&rig, format!("line {number}\n").as_bytes());
    }
    let shown = rig.parts.line.take_shown();
    for number in 0..lines {
        assert!(shown.contains(&format!("[b] line {number}\r\n")), "{number}");
    }
    ports.room(&rig, port, 30, 4096);
    ports.notify_room(&rig, port);
    rig.settle();
    let text = got(&rig, &mut ports, port);
    let all: String = (0..lines).map(|number| format!("line {number}\n")).collect();
    let kept = all.split_at(all.len() - 8192).1;
    let lost = all.len() - kept.len();
    assert_eq!(text, format!("\r\n[portcullis: {lost} bytes came too fast and are left out]\r\n{kept}"));
    write(&rig, b"now\n");
    assert_eq!(got(&rig, &mut ports, port), "now\n");
}

#[test]
fn a_vm_that_does_not_read_holds_up_who_types_for_it_and_loses_nothing() {
    let (rig, mut ports, port) = machine(GicVersion::V3);
    open(&rig, &mut ports, port, true);
    let typed: Vec<u8> = (0..TYPED_MAX + 6000).map(|n| (n % 251) as u8).collect();
    let parts = typed.chunks(4000).map(|part| ports.send(&rig, port, part)).count();
    rig.settle();
    let back = ports.back(&rig, port);
    assert!(back < parts, "{back} of {parts}");
    let mut heard = Vec::new();
    while heard.len() < typed.len() {
        let some = read(&rig);
        assert!(!some.is_empty(), "{} bytes", heard.len());
        heard.extend(some);
    }
    assert!(heard == typed);
    assert_eq!(back + ports.back(&rig, port), parts);
    // What was sent before a close, and has no room, is dropped with it.
    typed.chunks(4000).for_each(|part| ports.send(&rig, port, part));
    rig.settle();
    open(&rig, &mut ports, port, false);
    assert_eq!(ports.back(&rig, port), parts);
    let held = read(&rig);
    assert!(held.len() >= TYPED_MAX && held[..] == typed[..held.len()], "{}", held.len());
}

/// The driver of the port is taken down, or fails, while a program has the port open.
#[test]
fn a_driver_that_begins_anew_has_left() {
    let (rig, mut ports, port) = machine(GicVersion::V3);
    ports.room(&rig, port, 4, 4096);
    open(&rig, &mut ports, port, true);
    assert!(SERIAL.attachment.is(1) && SERIAL.attachment.is_typed_at_port(1));
    assert_eq!(begin(&rig, &mut ports), port);
    rig.settle();
    assert!(!SERIAL.attachment.is(1) && !SERIAL.attachment.is_typed_at_port(1));
    write(&rig, b"unread\n");
    ports.room(&rig, port, 4, 4096);
    open(&rig, &mut ports, port, true);
    write(&rig, b"read\n");
    assert_eq!(got(&rig, &mut ports, port), "unread\nread\n");
}

#[test]
fn a_vm_has_a_port_as_long_as_there_is_room() {
    let names: Vec<&'static str> = (0..32).map(|vm| &*format!("vm-with-16-ch-{vm:02}").leak()).collect();
    let ports = |control, most| {
        let all = terminal::all(&names, control, most);
        let name = |terminal: &&terminal::Terminal| terminal.port().unwrap().0.name().to_owned();
        all.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(ports(0, 28).len(), 28);
    assert_eq!(ports(2, 3), ["console.vm-with-16-ch-00", "console.vm-with-16-ch-01", "console.vm-with-16-ch-03"]);
    assert_eq!((ports(31, 31).len(), ports(31, 40).len(), ports(0, 0).len()), (31, 31, 0));
}
