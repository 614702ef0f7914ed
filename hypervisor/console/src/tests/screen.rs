//! Goldens: what comes out, character by character.

use portcullis_abi::map::MAX_VMS;

use super::Bench;

#[test]
fn lines_of_guests_and_hypervisor_interleave() {
    let mut bench = Bench::new(&["a", "linux-b"]);
    bench.log("2 VMs");
    bench.say(0, "Boot");
    bench.say(1, "hello\r\n");
    bench.say(0, "ing\n\n");
    bench.log("one\ntwo\n");
    assert_eq!(
        bench.seen(),
        "portcullis: 2 VMs\r\n[linux-b] hello\r\n[a] Booting\r\n[a] \r\nportcullis: one\r\nportcullis: two\r\n"
    );
}

#[test]
fn prompt_appears_after_a_while_and_goes_on() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.say(0, "login: ");
    assert_eq!(bench.seen(), "");
    assert!(!bench.vms[0].1.tick(), "it has only just come");
    bench.wait();
    assert_eq!(bench.seen(), "[a] login: ");
    bench.say(0, "root\r\n");
    assert_eq!(bench.seen(), "root\r\n");
    bench.wait();
    assert_eq!(bench.seen(), "");
}

#[test]
fn a_slow_guest_keeps_its_line_in_one_piece() {
    let mut bench = Bench::new(&["a", "b"]);
    for part in ["case ", "one", ": ok\n"] {
        // Half a second. With a tenth, eight guests on two cores of a host broke each other's lines.
        for _ in 0..25 {
            assert!(!bench.vms[0].1.tick());
        }
        bench.say(0, part);
        bench.say(1, "x\n");
    }
    assert_eq!(bench.seen(), "[b] x\r\n[b] x\r\n[a] case one: ok\r\n[b] x\r\n");
}

#[test]
fn torn_prompt_is_ended_and_continued() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.say(0, "login: ");
    bench.wait();
    bench.say(1, "x\n");
    bench.say(0, "root\n");
    assert_eq!(bench.seen(), "[a] login: \r\n[b] x\r\n[a] root\r\n");
    bench.say(0, "more ");
    bench.wait();
    bench.log("note");
    bench.say(0, "\r\n\n");
    assert_eq!(bench.seen(), "[a] more \r\nportcullis: note\r\n[a] \r\n", "the end of a torn line is not a line");
}

#[test]
fn long_lines_are_broken_with_the_prefix() {
    let mut bench = Bench::new(&["a"]);
    let (first, second) = ("x".repeat(75), "y".repeat(74));
    bench.say(0, &format!("{first}{second}z\n{first}\nz\n"));
    assert_eq!(bench.rows(), format!("[a] {first}\r\n[a]> {second}\r\n[a]> z\r\n[a] {first}\r\n[a] z\r\n"));
    bench.say(0, "12");
    bench.wait();
    bench.say(0, &format!("{}\u{e9}!\n", "x".repeat(72)));
    assert_eq!(bench.rows(), format!("[a] 12{}\r\n[a]> \u{e9}!\r\n", "x".repeat(72)), "no character is cut in two");
    bench.say(0, "ab\tc\t\t12345678\td\n");
    assert_eq!(bench.rows(), "[a] ab      c               12345678        d\r\n", "tab stops of the text");
    bench.log(&format!("{} {}", "word ".repeat(12).trim(), "end".repeat(30)));
    let word = "word ".repeat(12);
    let (ends, rest) = ("end".repeat(22) + "e", "nd".to_owned() + &"end".repeat(7));
    assert_eq!(bench.rows(), format!("portcullis: {word}\r\nportcullis> {ends}\r\nportcullis> {rest}\r\n"));
}

#[test]
fn sequences_and_controls_are_stripped() {
    for (sent, shown) in [
        ("\x1b[1;31mred\x1b[0m \x1b]0;title\x07end\n", "red end"),
        ("\x1b]0;title\x1b\\end\x1b(B\x1b7\x1bMx\n", "endx"),
        ("a\tb\x08\x07\x00\x0b\x0c\x7fc\rd\n", "a       bcd"),
        ("gr\u{fc}\u{df}e \u{4f60}\u{1f600}\n", "gr\u{fc}\u{df}e \u{4f60}\u{1f600}"),
        ("\u{9b}31mx\u{85}y\u{202e}z\u{2028}\n", "xyz"),
        ("\x1b[3\x1b[Kx\x1bPdcs\x18y\n", "xy"),
    ] {
        let mut bench = Bench::new(&["a"]);
        bench.say(0, sent);
        assert_eq!(bench.seen(), format!("[a] {shown}\r\n"), "{sent:?}");
    }
}

#[test]
fn malformed_utf8_is_marked() {
    let mut bench = Bench::new(&["a"]);
    bench.send(0, b"\xff \xc0\xaf \xe4\xbd \xed\xa0\x80 \xf0\x9f\nok\xc3\n");
    assert_eq!(bench.seen(), "[a] ? ?? ? ? ?\r\n[a] ok?\r\n");
}

#[test]
fn a_line_cannot_be_swallowed_or_forged() {
    let mut bench = Bench::new(&["a", "b"]);
    bench.say(0, "\x1b]0;never ended\nnext\n\r[b] forged\r\n\x1b[2K\x1b[G[b] forged\n");
    bench.say(1, "true\n");
    assert_eq!(bench.seen(), "[a] \r\n[a] next\r\n[a] [b] forged\r\n[a] [b] forged\r\n[b] true\r\n");
}

#[test]
fn hypervisor_messages_are_cleaned_and_cut() {
    let mut bench = Bench::new(&["a"]);
    bench.log("bad \x1b[31mname\r");
    assert_eq!(bench.seen(), "portcullis: bad [31mname\r\n");
    bench.log(&"\u{e9}".repeat(400));
    assert_eq!(bench.seen(), format!("portcullis: {}...\r\n", "\u{e9}".repeat(254)));
}

#[test]
fn names_are_cleaned_and_counted() {
    let more: Vec<String> = (3..=MAX_VMS).map(|n| n.to_string()).collect();
    let names = ["a\x1b[b", "seventeen-letters"].into_iter().chain(more.iter().map(String::as_str));
    let mut bench = Bench::new(&names.collect::<Vec<_>>());
    assert_eq!(bench.console.add_vm("one too many"), None);
    bench.say(0, "x\n");
    bench.say(1, "y\n");
    assert_eq!(bench.seen(), "[a?[b] x\r\n[seventeen-letter] y\r\n");
}

#[test]
fn last_words_end_with_the_vm() {
    let mut bench = Bench::new(&["a", "b"]);
    let finish = |bench: &mut Bench| {
        assert!(bench.console.finish(0, &mut bench.vms[0].1));
        bench.settle();
        bench.seen()
    };
    assert_eq!(finish(&mut bench), "");
    bench.say(0, "halted");
    assert_eq!(finish(&mut bench), "[a] halted\r\n");
    bench.say(0, "hal");
    bench.wait();
    bench.say(0, "ted");
    assert_eq!(finish(&mut bench), "[a] halted\r\n");
    bench.say(0, "hal");
    bench.wait();
    assert_eq!(finish(&mut bench), "[a] hal\r\n");
    bench.say(0, "\x1b[0m\r");
    assert_eq!(finish(&mut bench), "", "nothing to see");
    bench.say(0, "next\n");
    assert_eq!(bench.seen(), "[a] next\r\n");
    bench.escape(b'2');
    bench.say(1, "# ");
    bench.say(0, "bye");
    bench.seen();
    assert_eq!(finish(&mut bench), "\r\n[a] bye\r\n# ");
    bench.escape(b'1');
    bench.say(0, "bye");
    bench.seen();
    assert_eq!(finish(&mut bench), "\r\n");
    bench.log("off");
    assert_eq!(bench.seen(), "portcullis: off\r\n");
}
