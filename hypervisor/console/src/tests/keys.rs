//! Attached mode and the escape key.

use super::model::Model;
use super::{Bench, InputAction, Random};
use crate::line::CAPACITY;
use crate::reset::RESET;

const ATTACHED: &str = "portcullis: attached to a; Ctrl-] then 0 detaches\r\n";
const DETACHED: &str = "portcullis: detached; Ctrl-] then ? shows the keys\r\n";

/// What brings the terminal back.
fn reset() -> &'static str {
    core::str::from_utf8(RESET).unwrap()
}

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
    assert_eq!(bench.seen(), format!("{}{DETACHED}", reset()));
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
        assert_eq!(bench.seen(), format!("{}{DETACHED}", reset()), "{open:?}");
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
    assert_eq!(bench.seen(), format!("{}portcullis: attached to b; Ctrl-] then 0 detaches\r\n", reset()));
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
    bench.console.input(0x1d, false, &bench.attachment, &|_| "");
    bench.console.input(b'?', false, &bench.attachment, &|_| "not yet started");
    bench.settle();
    assert!(bench.seen().ends_with("\r\nportcullis: 8 sixteen-letters8 not yet started\r\n"));
}

#[test]
fn after_detaching_the_terminal_is_as_before_whatever_the_guest_did() {
    let pieces: [&[u8]; 14] = [
        b"\x1b(0\x1b[2;2r\x1b[?25l\x1b[8m\x0e",
        b"\x1b[?1049h\x1b[?1000;1006h\x1b[?2004h",
        b"\x1b)0\x0e\x1b=\x1b[4h\x1b[20h",
        b"\x1b G\x1b[?5h\x1b[?6h\x1b[?7l\x1b[?1h",
        b"\x1b[>4;2m\x1b[=31u",
        b"\x1b[3g\x1b[7m",
        b"\x1b]0;a title that never ends",
        b"\x1bP1$q",
        b"\x1b[",
        b"\x1b[?",
        b"\x1b",
        b"\xe2\x82",
        b"text\r\n",
        b"\x9d",
    ];
    for seed in 1..if cfg!(miri) { 2 } else { 300 } {
        let mut random = Random::new(seed);
        let mut bench = Bench::new(&["a", "b"]);
        let mut model = Model::new(80, 24);
        for _ in 0..if cfg!(miri) { 2 } else { 20 } {
            bench.escape(b'1');
            for _ in 0..random.below(12) {
                let noise: Vec<u8> = (0..random.below(20)).map(|_| random.below(256) as u8).collect();
                bench.send(0, if random.below(3) == 0 { &noise } else { pieces[random.below(pieces.len())] });
            }
            // To nobody, or to the other one and then to nobody.
            if random.below(2) == 0 {
                bench.escape(b'2');
            }
            bench.escape(b'd');
            model.feed(&core::mem::take(&mut bench.out));
            assert_eq!(model.changed(), Vec::<String>::new(), "seed {seed}");
            assert!(model.rows().last().unwrap().is_empty() && model.row(1).starts_with("portcullis: detached"));
        }
    }
}

#[test]
fn a_reset_always_has_room() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.slow = true;
    while bench.console.log(format_args!("noise")) {}
    for _ in 0..if cfg!(miri) { 2 } else { 20 } {
        bench.escape(b'1');
        bench.send(0, b"\x1b[?1049h");
        bench.escape(b'd');
        bench.pump(50);
    }
    bench.slow = false;
    bench.settle();
    let mut model = Model::new(80, 24);
    model.feed(&bench.out);
    assert_eq!(model.changed(), Vec::<String>::new());
}

#[test]
fn what_a_terminal_says_by_itself_switches_nothing_off() {
    let mut bench = Bench::new(&["a"]);
    bench.escape(b'1');
    // A title that the guest has set, reported.
    for byte in *b"\x1b]l\x1dq\x1dd\x1b\\" {
        assert_eq!(bench.key(byte), InputAction::Guest { vm: 0, byte });
    }
    assert_eq!(bench.attachment.get(), Some(0));
    // The same, and its other answers, just behind the escape key: the person's key is still to come.
    for answer in [&b"\x1b]l\x1dq\x1b\\"[..], b"\x1b[5;5R", b"\x1b[?62;22c", b"\x1b/Z", b"\x1b[M qq"] {
        bench.key(0x1d);
        for &byte in answer.iter().chain(answer) {
            assert_eq!(bench.key(byte), InputAction::Guest { vm: 0, byte }, "{answer:?}");
        }
        assert_eq!(bench.key(b'q'), InputAction::PowerOff, "the person's own key");
    }
}

#[test]
fn the_escape_key_counts_in_every_coding_of_keys() {
    for (escape, detach) in [("\x1b[93;5u", "\x1b[100u"), ("\x1b[27;5;93~", "d"), ("\x1b[93;5:1u\x1b[93;5:3u", "d")] {
        let mut bench = Bench::new(&["a"]);
        bench.escape(b'1');
        for byte in escape.bytes() {
            assert_eq!(bench.key(byte), InputAction::Guest { vm: 0, byte }, "{escape:?}");
        }
        detach.bytes().for_each(|byte| _ = bench.key(byte));
        assert_eq!(bench.attachment.get(), None, "{escape:?}");
    }
}
