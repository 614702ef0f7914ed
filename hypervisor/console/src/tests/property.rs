//! Random traffic: every VM's characters come out complete and in order.

use fastrand::Rng;

use super::model::Model;
use super::*;
use crate::columns::COLUMNS;

/// Takes a `[name] ` or `portcullis: ` prefix off a line.
fn split(line: &str) -> (&str, &str) {
    match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some(parts) => parts,
        None => ("", line.strip_prefix("portcullis: ").unwrap_or_else(|| panic!("no prefix: {line:?}"))),
    }
}

#[test]
fn detached_traffic_is_complete_and_in_order() {
    for seed in 1..if cfg!(miri) { 3 } else { 12 } {
        let mut random = Rng::with_seed(seed);
        let names = ["a", "b", "c", "d", "e", "f", "g", "sixteen-letters8"];
        let mut bench = Bench::new(&names);
        bench.slow = true;
        let mut sent = vec![Vec::new(); names.len()];
        let mut logged = String::new();
        for step in 0..if cfg!(miri) { 30 } else { 6_000 } {
            let vm = random.usize(..names.len());
            match random.usize(..40) {
                0 => bench.wait(),
                1 if bench.console.log(format_args!("log {step}")) => logged += &format!("log {step}"),
                2..=9 => bench.pump(random.usize(..200)),
                _ => {
                    let mut text: Vec<u8> = (0..random.usize(..60)).map(|_| b'!' + random.usize(..90) as u8).collect();
                    if random.usize(..3) == 0 {
                        text.push(b'\n');
                    }
                    let count = bench.send(vm, &text);
                    sent[vm].extend_from_slice(&text[..count]);
                }
            }
        }
        for vm in 0..names.len() {
            while bench.send(vm, b"\n") == 0 {
                bench.pump(1000);
            }
        }
        bench.slow = false;
        bench.settle();
        let seen = bench.seen();
        for (vm, name) in names.iter().enumerate() {
            let shown: String = seen.lines().map(split).filter(|line| line.0 == *name).map(|line| line.1).collect();
            let want: String = sent[vm].iter().filter(|&&byte| byte != b'\n').map(|&byte| byte as char).collect();
            assert_eq!(shown, want, "seed {seed}, VM {name}");
        }
        let shown: String = seen
            .lines()
            .map(split)
            .filter(|line| line.0.is_empty() && line.1.starts_with("log "))
            .map(|line| line.1)
            .collect();
        assert_eq!(shown, logged, "seed {seed}");
    }
}

#[test]
fn foreign_lines_are_complete_while_somebody_attaches_and_detaches() {
    for seed in 1..if cfg!(miri) { 3 } else { 20 } {
        let mut random = Rng::with_seed(seed);
        let mut bench = Bench::new(&["a", "b", "c"]);
        bench.slow = true;
        let mut sent = [const { Vec::new() }; 3];
        for _ in 0..if cfg!(miri) { 30 } else { 3_000 } {
            match random.usize(..30) {
                0 => bench.wait(),
                1 => _ = bench.escape(b"0111d?"[random.usize(..6)]),
                2..=9 => bench.pump(random.usize(..200)),
                10..=19 => {
                    // VM a, to which the person attaches, sends whatever it likes, but not the others' letters.
                    let text: Vec<u8> = (0..random.usize(..60)).map(|_| random.usize(..0x61) as u8).collect();
                    bench.send(0, &text);
                }
                _ => {
                    let vm = 1 + random.usize(..2);
                    let text = format!("{}{}", "abcdefgh".repeat(random.usize(..6)), ["\n", ""][random.usize(..2)]);
                    let count = bench.send(vm, text.as_bytes());
                    sent[vm].extend_from_slice(&text.as_bytes()[..count]);
                }
            }
        }
        bench.escape(b'0');
        for vm in 0..3 {
            while bench.send(vm, b"\n") == 0 {
                bench.pump(1000);
            }
        }
        bench.slow = false;
        bench.settle();
        // Lines of VM b go by "[b] " and are made of the eight letters only.
        let seen = String::from_utf8_lossy(&bench.out).replace("\r\n[b]> ", "").replace("\r\n[c]> ", "");
        for (vm, prefix) in [(1, "[b] "), (2, "[c] ")] {
            let letters = |text: &str| text.chars().take_while(|char| ('a'..='h').contains(char)).collect::<String>();
            let shown: String = seen.split(prefix).skip(1).map(letters).collect();
            let want: String = sent[vm].iter().filter(|&&byte| byte != b'\n').map(|&byte| byte as char).collect();
            assert_eq!(shown, want, "seed {seed}, VM {vm}");
        }
    }
}

#[test]
fn hostile_bytes_never_reach_the_terminal_detached() {
    for seed in 1..if cfg!(miri) { 3 } else { 20 } {
        let mut random = Rng::with_seed(seed);
        let mut bench = Bench::new(&["a", "b"]);
        for _ in 0..if cfg!(miri) { 5 } else { 200 } {
            let text: Vec<u8> = (0..random.usize(..400))
                .map(|_| match random.usize(..4) {
                    0 => b"\x1b[]P\x07\n\r\xc2\x9b\xe2\x80\xae"[random.usize(..12)],
                    _ => random.usize(..256) as u8,
                })
                .collect();
            assert_eq!(bench.send(random.usize(..2), &text), text.len());
            if random.usize(..5) == 0 {
                bench.wait();
            }
        }
        let seen = bench.seen();
        for line in seen.split("\r\n") {
            assert!(line.is_empty() || ["a", "b"].contains(&split(line).0), "{line:?}");
            assert!(line.chars().all(|char| !char.is_control() && char != '\u{202e}'), "{line:?}");
        }
    }
}

#[test]
fn every_row_of_the_screen_begins_with_its_owner() {
    let pieces = [
        "portcullis: ops: failed; type the recovery passphrase: ",
        "[b] passphrase: ",
        "\t",
        "\u{4f60}\u{597d}",
        "\u{1f600}",
        "e\u{301}",
        "\u{200b}\u{200d}",
        "\u{e9}\u{3b1}\u{44f}",
        "                    ",
        "\n",
    ];
    for seed in 1..if cfg!(miri) { 2 } else { 60 } {
        let mut random = Rng::with_seed(seed);
        let mut bench = Bench::new(&["a", "sixteen-letters8"]);
        for _ in 0..if cfg!(miri) { 10 } else { 300 } {
            let vm = random.usize(..2);
            match random.usize(..12) {
                0 => bench.wait(),
                1 => bench.log(&"of the hypervisor's own, with words ".repeat(random.usize(..5))),
                2 => {
                    let text: Vec<u8> = (0..random.usize(..100)).map(|_| random.usize(..256) as u8).collect();
                    bench.send(vm, &text);
                }
                _ => (0..random.usize(..20)).for_each(|_| bench.say(vm, pieces[random.usize(..pieces.len())])),
            }
        }
        let mut model = Model::new(COLUMNS, 24);
        model.feed(&bench.out);
        let owners = ["[a] ", "[a]> ", "[sixteen-letters8] ", "[sixteen-letters8]> ", "portcullis: ", "portcullis> "];
        for row in model.rows().iter().filter(|row| !row.is_empty()) {
            assert!(owners.iter().any(|owner| row.starts_with(owner.trim_end())), "seed {seed}: {row:?}");
        }
    }
}
