//! Attached mode and the escape key.

use fastrand::Rng;
use portcullis_abi::map::MAX_VMS;

use super::model::Model;
use super::{Bench, InputAction};
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

const HELP: &str = "portcullis: Ctrl-] then: 1 to 9 attach to a VM, or the first letters of its name and Enter, 0 or d detach, \
                    q power off, ] send Ctrl-], ? this help\r\n";

#[test]
fn help_power_off_and_wrong_keys() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.escape(b'1');
    bench.say(0, "# ");
    bench.seen();
    bench.escape(b'?');
    assert_eq!(bench.seen(), format!("\r\n{HELP}portcullis: 1 a running, attached\r\nportcullis: 2 b off\r\n# "));
    bench.escape(b'3');
    let none = "no VM has the number 3; there are 1 to 2, Ctrl-] then ? lists them";
    assert_eq!(bench.seen(), format!("\r\nportcullis: {none}\r\n# "));
    bench.escape(b'!');
    assert_eq!(bench.seen(), "\r\nportcullis: unknown key; Ctrl-] then ? shows the keys\r\n# ");
    assert_eq!(bench.key(b'x'), InputAction::Guest { vm: 0, byte: b'x' }, "the escape key counts for one key");
    assert_eq!(bench.escape(b'q'), InputAction::PowerOff);
    bench.escape(b'd');
    assert_eq!(bench.escape(b']'), InputAction::None, "nobody to send it to");
}

#[test]
fn help_of_all_vms_is_not_cut() {
    let names: Vec<String> = (1..=MAX_VMS).map(|n| format!("sixteen-letter{n:02}")).collect();
    let mut bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    bench.slow = true;
    bench.console.input(0x1d, false, &bench.attachment, &|_| "");
    bench.console.input(b'?', false, &bench.attachment, &|_| "not yet started, and being loaded");
    bench.slow = false;
    bench.settle();
    let seen = bench.seen();
    assert!(seen.starts_with("portcullis: Ctrl-] then: a VM's number and Enter attach to it, or the first letters"));
    for (index, name) in names.iter().enumerate() {
        assert!(seen.contains(&format!("portcullis: {} {name} not yet started, and being loaded\r\n", index + 1)));
    }
}

/// Ctrl-] and these keys, none of which is the guest's.
fn choose(bench: &mut Bench, keys: &str) {
    bench.escape(keys.as_bytes()[0]);
    for byte in keys.bytes().skip(1) {
        assert_eq!(bench.key(byte), InputAction::None, "{keys:?}");
    }
}

#[test]
fn a_vm_is_chosen_by_the_first_letters_of_its_name() {
    let mut bench = Bench::new(&["linux-a", "linux-b", "web"]);
    choose(&mut bench, "we\r");
    assert_eq!(bench.seen(), "portcullis: attach to: we\r\nportcullis: attached to web; Ctrl-] then 0 detaches\r\n");
    assert_eq!(bench.attachment.get(), Some(2));
    assert_eq!(bench.key(b'b'), InputAction::Guest { vm: 2, byte: b'b' }, "what comes behind Enter is the guest's");
    bench.say(2, "# ");
    bench.seen();
    choose(&mut bench, "linux-\r");
    let several = "linux- begins the names of linux-a, linux-b; type more of one, or its number";
    assert_eq!(bench.seen(), format!("\r\nportcullis: attach to: linux-\r\nportcullis: {several}\r\n# "));
    choose(&mut bench, "x\r");
    let none = "no VM's name begins with x; there are linux-a, linux-b, web";
    assert_eq!(bench.seen(), format!("\r\nportcullis: attach to: x\r\nportcullis: {none}\r\n# "));
    assert_eq!(bench.attachment.get(), Some(2), "as before");
    choose(&mut bench, "lx\x7finux-b\n");
    assert!(bench.seen().starts_with("\r\nportcullis: attach to: lx\x08 \x08inux-b"));
    assert_eq!(bench.attachment.get(), Some(1));
    for leave in ["l\x03", "li!", "l\x7f\x7f", "l\x7f\r"] {
        choose(&mut bench, leave);
        let seen = bench.seen();
        assert!(seen.ends_with("portcullis: nothing was chosen; Ctrl-] then ? lists the VMs\r\n"), "{leave:?}: {seen}");
        assert_eq!(bench.attachment.get(), Some(1));
    }
}

#[test]
fn a_digit_is_a_number_by_itself_where_no_other_begins_with_it() {
    for (count, key, at_once) in [
        (9, b'1', true),
        (9, b'9', true),
        (10, b'1', false),
        (10, b'2', true),
        (19, b'2', true),
        (20, b'2', false),
        (32, b'3', false),
        (32, b'4', true),
    ] {
        let names: Vec<String> = (1..=count).map(|n| format!("vm-{n}")).collect();
        let mut bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
        bench.escape(key);
        let vm = usize::from(key - b'1');
        assert_eq!(bench.attachment.get(), at_once.then_some(vm), "{} of {count}", key as char);
        if !at_once {
            assert_eq!(bench.key(b'\r'), InputAction::None);
            assert_eq!(bench.attachment.get(), Some(vm));
        }
    }
}

#[test]
fn every_one_of_many_vms_is_attached_by_its_number_and_enter() {
    let names: Vec<String> = (1..=MAX_VMS).map(|n| format!("vm-{n}")).collect();
    let mut bench = Bench::new(&names.iter().map(String::as_str).collect::<Vec<_>>());
    bench.key(b'x');
    assert!(
        bench
            .seen()
            .starts_with("portcullis: press Ctrl-] then a VM's number, or the first letters of its name, and Enter")
    );
    for number in (1..=MAX_VMS).filter(|number| !(4..=9).contains(number)) {
        choose(&mut bench, &format!("{number}\r"));
        assert_eq!(bench.attachment.get(), Some(number - 1));
        assert_eq!(bench.key(b'z'), InputAction::Guest { vm: number - 1, byte: b'z' });
        bench.say(number - 1, "here\n");
        assert!(bench.seen().ends_with("here\n"));
    }
    choose(&mut bench, "33\r");
    assert!(bench.seen().contains("portcullis: no VM has the number 33; there are 1 to 32, Ctrl-] then ? lists them"));
    choose(&mut bench, "vm-\r");
    assert!(bench.seen().contains("begins the names of vm-1, vm-2, vm-3"));
}

#[test]
fn keys_that_begin_a_name_wait_for_enter() {
    let mut bench = Bench::new(&["debian", "quiet"]);
    bench.escape(b'1');
    bench.seen();
    choose(&mut bench, "d");
    assert_eq!(bench.seen(), "portcullis: (d and Enter detaches) attach to: d");
    assert_eq!((bench.key(b'\r'), bench.attachment.get()), (InputAction::None, None));
    choose(&mut bench, "de\r");
    assert_eq!(bench.attachment.get(), Some(0));
    choose(&mut bench, "qu\r");
    assert_eq!(bench.attachment.get(), Some(1));
    choose(&mut bench, "q");
    assert!(bench.seen().ends_with("portcullis: (q and Enter powers off) attach to: q"));
    assert_eq!(bench.key(b'\r'), InputAction::PowerOff);
    // The escape key begins anew.
    choose(&mut bench, "q\x1d0");
    assert_eq!((bench.attachment.get(), bench.key(b'q')), (None, InputAction::None));
}

#[test]
fn lines_that_come_while_a_vm_is_chosen_do_not_hide_it() {
    let mut bench = Bench::new(&["web-a", "web-b"]);
    bench.escape(b'1');
    bench.say(0, "# ");
    bench.seen();
    choose(&mut bench, "w");
    bench.say(1, "news\n");
    bench.key(b'e');
    assert_eq!(bench.seen(), "\r\nportcullis: attach to: w\r\n[web-b] news\r\n# \r\nportcullis: attach to: we");
    bench.say(0, "ls");
    assert_eq!(bench.seen(), "\r\n# ls", "the attached VM goes on in a line of its own");
    bench.log("from below");
    bench.key(b'b');
    assert_eq!(bench.seen(), "\r\nportcullis: from below\r\n# ls\r\nportcullis: attach to: web");
    bench.key(b'-');
    bench.key(b'b');
    bench.key(b'\r');
    assert_eq!(bench.attachment.get(), Some(1));
}

#[test]
fn an_answer_of_the_terminal_is_no_choice() {
    let mut bench = Bench::new(&["web-a", "web-b"]);
    bench.escape(b'1');
    choose(&mut bench, "web-");
    for byte in *b"\x1b[5;5R" {
        assert_eq!(bench.key(byte), InputAction::Guest { vm: 0, byte });
    }
    // Kitty's coding of b and of Enter.
    b"\x1b[98u\x1b[13u".iter().for_each(|byte| _ = bench.key(*byte));
    assert_eq!(bench.attachment.get(), Some(1));
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
        let mut random = Rng::with_seed(seed);
        let mut bench = Bench::new(&["a", "b"]);
        let mut model = Model::new(80, 24);
        for _ in 0..if cfg!(miri) { 2 } else { 20 } {
            bench.escape(b'1');
            for _ in 0..random.usize(..12) {
                let noise: Vec<u8> = (0..random.usize(..20)).map(|_| random.usize(..256) as u8).collect();
                bench.send(0, if random.usize(..3) == 0 { &noise } else { pieces[random.usize(..pieces.len())] });
            }
            // To nobody, or to the other one and then to nobody.
            if random.usize(..2) == 0 {
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
