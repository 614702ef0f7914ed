//! What is typed, and what VMs leave unfinished on the serial line.

use portcullis_abi::map;
use portcullis_arch::fake;
use portcullis_board::signal::EL2_TIMER_INTID;
use portcullis_console::TYPED_MAX;

use crate::serial::SERIAL;
use crate::tests::board::{self, OFF};
use crate::tests::guest::{load, store};
use crate::tests::rig::{Rig, SECOND, vm, x};

/// The key that is the console's own: Ctrl-].
const ESCAPE: u8 = 0x1d;
/// UARTDR, UARTFR, UARTIMSC.
const DATA: u64 = map::UART;
const FLAGS: u64 = map::UART + 0x18;
const MASK: u64 = map::UART + 0x38;
/// UARTFR.RXFE.
const EMPTY: u64 = 1 << 4;

fn rig() -> Rig {
    let rig = Rig::new(&[vm("ops", &[0]), vm("a", &[1])]);
    rig.settle();
    rig
}

/// Types a text and has the core that reads the line look.
fn types(rig: &Rig, text: &[u8]) {
    rig.parts.line.types(text);
    while rig.parts.line.unread() != 0 {
        let before = rig.parts.line.unread();
        rig.interrupt(0, board::SERIAL);
        if rig.parts.line.unread() == before {
            return;
        }
    }
}

/// Attaches the keyboard to a VM.
fn attach(rig: &Rig, vm: u8) {
    // The line was quiet before: a key of a person's.
    rig.advance(SECOND);
    types(rig, &[ESCAPE, b'1' + vm]);
    assert_eq!(SERIAL.attachment.get(), Some(vm.into()));
}

/// What the guest of core 1 reads from its UART until there is nothing.
fn received(rig: &Rig) -> Vec<u8> {
    let mut bytes = Vec::new();
    while x(rig.guest(1, |_| load(FLAGS)), 0) & EMPTY == 0 {
        bytes.push(x(rig.guest(1, |_| load(DATA)), 0) as u8);
    }
    bytes
}

#[test]
fn what_is_typed_reaches_the_vm_and_interrupts_it() {
    let rig = rig();
    attach(&rig, 1);
    rig.guest(1, |context| store(context, MASK, 1 << 4 | 1 << 6));
    // GICD_CTLR, GICD_IGROUPR1, GICD_ISENABLER1: the guest wants the UART's interrupt.
    for (offset, value) in [(0, 2), (0x84, u32::MAX), (0x104, 1 << (map::UART_INTID - 32))] {
        rig.guest(1, move |context| store(context, map::GICD + offset, value.into()));
    }
    let kicked = rig.at(1, fake::pending);
    types(&rig, b"hello");
    assert_eq!(rig.at(1, fake::pending), kicked + 1, "its core is made to look, once");
    rig.run(1);
    assert!(rig.at(1, || rig.vcpu(1, 0).has_interrupt()));
    assert_eq!(received(&rig), b"hello");
    assert!(rig.parts.line.take_shown().contains("attached to a"));
}

#[test]
fn a_line_that_a_vm_leaves_unfinished_is_shown_after_a_while() {
    let rig = rig();
    rig.parts.line.take_shown();
    for byte in *b"login: " {
        rig.guest(1, move |context| store(context, DATA, byte.into()));
    }
    assert!(!rig.parts.line.take_shown().contains("login"));
    for _ in 0..100 {
        rig.advance(SECOND / 10);
        rig.interrupt(1, EL2_TIMER_INTID);
    }
    let shown = rig.parts.line.take_shown();
    assert!(shown.contains("login: "), "{shown:?}");
}

#[test]
fn output_that_stalls_goes_on_when_the_line_has_room() {
    let rig = rig();
    rig.parts.line.take_shown();
    rig.parts.line.make_room(0);
    for _ in 0..2000 {
        for byte in *b"0123456789abcdef0123456789abcde\n" {
            rig.guest(1, move |context| store(context, DATA, byte.into()));
        }
    }
    let (_, wants_room) = rig.parts.line.interrupts();
    assert!(wants_room);
    rig.parts.line.make_room(usize::MAX);
    for _ in 0..64 {
        rig.interrupt(0, board::SERIAL);
    }
    let shown = rig.parts.line.take_shown();
    assert!(shown.matches("0123456789abcdef").count() > 10, "{} bytes", shown.len());
    assert!(!rig.parts.line.interrupts().1, "there is nothing more to show");
    for byte in *b"\nagain\n" {
        rig.guest(1, move |context| store(context, DATA, byte.into()));
    }
    assert!(rig.parts.line.take_shown().contains("again"));
}

#[test]
fn a_vm_that_does_not_read_makes_the_line_wait_and_then_loses_what_is_typed() {
    let rig = rig();
    attach(&rig, 1);
    types(&rig, &vec![b'x'; TYPED_MAX + 100]);
    let left = rig.parts.line.unread();
    assert!(left > 0, "the line waits");
    assert!(!rig.parts.line.interrupts().0, "and does not interrupt");
    // The core looks again by its timer. When the VM reads, the line goes on.
    rig.advance(SECOND / 5);
    rig.interrupt(0, EL2_TIMER_INTID);
    assert_eq!(rig.parts.line.unread(), left);
    let mut read = received(&rig).len();
    assert!(rig.parts.line.interrupts().0, "there is room");
    types(&rig, b"");
    rig.interrupt(0, board::SERIAL);
    read += received(&rig).len();
    while rig.parts.line.unread() != 0 {
        rig.interrupt(0, board::SERIAL);
        read += received(&rig).len();
    }
    assert_eq!(read, TYPED_MAX + 100, "nothing is lost");
    // One that reads nothing for two seconds loses what comes then, and that is said.
    types(&rig, &vec![b'y'; TYPED_MAX + 200]);
    for _ in 0..30 {
        rig.advance(SECOND / 8);
        rig.interrupt(0, EL2_TIMER_INTID);
    }
    while rig.parts.line.unread() != 0 {
        rig.interrupt(0, board::SERIAL);
    }
    assert!(rig.parts.line.take_shown().contains("what is typed for it now is lost"));
}

#[test]
fn the_keyboard_switches_the_machine_off() {
    let rig = rig();
    rig.advance(SECOND);
    rig.parts.line.types(&[ESCAPE, b'q']);
    // Outside a trap: the machine's end is a panic here, which must not leave a handler.
    let ended =
        rig.at(0, || std::panic::catch_unwind(|| crate::run::keyboard::KEYBOARD.serve(None)).expect_err("it goes off"));
    assert_eq!(ended.downcast_ref::<String>().map(String::as_str), Some(OFF));
}
