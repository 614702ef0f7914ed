//! Attached mode and the escape key.

use super::{Bench, InputAction};
use crate::line::CAPACITY;

const ATTACHED: &str = "portcullis: attached to a; Ctrl-] then 0 detaches\r\n";
const DETACHED: &str = "portcullis: detached; Ctrl-] then ? shows the keys\r\n";

#[test]
fn attached_output_is_raw_and_immediate() {
    let mut bench = Bench::new(&["a", "b"]);
    assert_eq!(bench.escape(b'1'), InputAction::None);
    assert_eq!(bench.seen(), ATTACHED);
    assert_eq!(bench.attachment.get(), Some(0));
    bench.say(0, "\x1b[1m# \x1b[0m");
    assert_eq!(bench.seen(), "\x1b[1m# \x1b[0m");
    for byte in [b'l', 0x03, b'\r', 0x7f] {
        assert_eq!(bench.key(byte), InputAction::Guest { vm: 0, byte });
    }
    assert_eq!(bench.escape(b']'), InputAction::Guest { vm: 0, byte: 0x1d });
    bench.say(0, "\r\n");
    bench.seen();
    assert_eq!(bench.escape(b'0'), InputAction::None);
    assert_eq!(bench.seen(), format!("\x1b[0m{DETACHED}"));
    assert_eq!(bench.attachment.get(), None);
    bench.say(0, "tail");
    assert_eq!(bench.seen(), "");
}

#[test]
fn foreign_lines_do_not_tear_the_prompt() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.escape(b'1');
    bench.say(0, "\x1b[32m# \x1b[0mlz\x08 \x08s");
    bench.seen();
    bench.say(1, "partial");
    bench.wait();
    assert_eq!(bench.seen(), "", "only whole lines of others");
    bench.say(1, " line\n");
    assert_eq!(bench.seen(), "\r\n[b] partial line\r\n# ls");
    bench.log("one\ntwo");
    assert_eq!(bench.seen(), "\r\nportcullis: one\r\nportcullis: two\r\n# ls");
    bench.say(0, "\r\nout\r");
    bench.seen();
    bench.say(1, "x\n");
    assert_eq!(bench.seen(), "\r\n[b] x\r\nout\r");
    bench.say(0, "in\n");
    bench.seen();
    bench.say(1, "y\n");
    assert_eq!(bench.seen(), "[b] y\r\n", "nothing to show again");
}

#[test]
fn foreign_long_lines_come_whole_while_attached() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.escape(b'1');
    bench.say(0, "# ");
    bench.seen();
    let long = "x".repeat(CAPACITY);
    bench.say(1, &long);
    assert_eq!(bench.seen(), format!("\r\n[b] {long}\r\n# "));
    bench.say(1, "\n");
    assert_eq!(bench.seen(), "", "the end of a broken line is not a line");
    bench.say(1, "y\n");
    assert_eq!(bench.seen(), "\r\n[b] y\r\n# ");
}

#[test]
fn an_open_sequence_does_not_swallow_others() {
    for open in ["\x1b[3", "\x1b]0;title", "\x1bP", "\u{9d}x"] {
        let mut bench = Bench::new(&["a", "b"]);
        bench.escape(b'1');
        bench.say(0, open);
        bench.seen();
        bench.say(1, "seen\n");
        assert_eq!(bench.seen(), "\x18\r\n[b] seen\r\n", "{open:?}");
        bench.say(0, open);
        bench.seen();
        bench.escape(b'd');
        assert_eq!(bench.seen(), format!("\x18\r\n\x1b[0m{DETACHED}"), "{open:?}");
    }
}

#[test]
fn attaching_shows_the_prompt_that_stands() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.say(0, "login: ");
    bench.wait();
    bench.say(0, "ro");
    bench.seen();
    bench.escape(b'1');
    assert_eq!(bench.seen(), format!("\r\n{ATTACHED}login: ro"));
    bench.say(0, "ot\r\n");
    assert_eq!(bench.seen(), "ot\r\n");
    bench.say(0, "# ");
    bench.seen();
    bench.escape(b'2');
    assert_eq!(bench.seen(), "\r\nportcullis: attached to b; Ctrl-] then 0 detaches\r\n");
    assert!(bench.attachment.is(1) && !bench.attachment.is(0));
    bench.say(0, "\n");
    assert_eq!(bench.seen(), "", "the rest of the torn line was empty");
}

#[test]
fn typing_while_detached_hints_once() {
    let mut bench = Bench::new(&["linux-a"]);
    assert_eq!(bench.key(b'x'), InputAction::None);
    assert_eq!(bench.seen(), "portcullis: press Ctrl-] then 1 to attach to linux-a\r\n");
    assert_eq!(bench.key(b'y'), InputAction::None);
    assert_eq!(bench.seen(), "");
    let mut bench = Bench::new(&["a", "b"]);
    bench.key(b'x');
    assert_eq!(
        bench.seen(),
        "portcullis: press Ctrl-] then 1 to attach to a, 2 and up for the other VMs, ? for help\r\n"
    );
    let mut bench = Bench::new(&[]);
    bench.key(b'x');
    assert_eq!(bench.seen(), "portcullis: there is no VM to type to; Ctrl-] then q powers the machine off\r\n");
}

#[test]
fn help_power_off_and_wrong_keys() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.escape(b'1');
    bench.say(0, "# ");
    bench.seen();
    bench.escape(b'?');
    assert_eq!(
        bench.seen(),
        "\r\nportcullis: Ctrl-] then: 1 to 8 attach to a VM, 0 or d detach, q power off, ] send Ctrl-], ? this help\r\n\
         portcullis: 1 a running, attached\r\nportcullis: 2 b off\r\n# "
    );
    bench.escape(b'3');
    assert_eq!(bench.seen(), "\r\nportcullis: no VM has the number 3; Ctrl-] then ? lists them\r\n# ");
    bench.escape(b'x');
    assert_eq!(bench.seen(), "\r\nportcullis: unknown key; Ctrl-] then ? shows the keys\r\n# ");
    assert_eq!(bench.key(b'x'), InputAction::Guest { vm: 0, byte: b'x' }, "the escape key counts for one key");
    assert_eq!(bench.escape(b'q'), InputAction::PowerOff);
    bench.escape(b'd');
    assert_eq!(bench.escape(b']'), InputAction::None, "nobody to send it to");
}

#[test]
fn help_of_eight_vms_is_not_cut() {
    let names: Vec<String> = (1..=8).map(|n| format!("sixteen-letters{n}")).collect();
    let mut bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    bench.console.input(0x1d, &bench.attachment, &|_| "");
    bench.console.input(b'?', &bench.attachment, &|_| "not yet started");
    bench.settle();
    assert!(bench.seen().ends_with("\r\nportcullis: 8 sixteen-letters8 not yet started\r\n"));
}
