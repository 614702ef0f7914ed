//! The editor against a model of the terminal, and random bytes.

use std::string::String as Text;
use std::vec::Vec;

use super::view::WIDTH;
use super::*;

struct Commands;

impl Vocabulary for Commands {
    fn candidates(&self, before: &[&str], each: &mut dyn FnMut(&str)) {
        if before.is_empty() {
            ["start", "stats", "regs"].into_iter().for_each(each);
        }
    }
}

/// One line of a terminal.
#[derive(Default)]
struct Screen {
    line: Vec<char>,
    column: usize,
}

impl Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '\r' => self.column = 0,
                '\n' => *self = Self::default(),
                '\x08' => self.column = self.column.checked_sub(1).expect("the cursor stays on the line"),
                ' '..='~' => {
                    self.line.resize(self.line.len().max(self.column + 1), ' ');
                    self.line[self.column] = character;
                    self.column += 1;
                }
                other => panic!("{other:?} is no character for every terminal"),
            }
        }
        Ok(())
    }
}

fn typed(bytes: &[u8]) -> (Vec<Text>, Editor, Screen) {
    let (mut editor, mut screen, mut lines) = (Editor::new("> "), Screen::default(), Vec::new());
    editor.begin(&mut screen).unwrap();
    for &byte in bytes {
        if let Some(line) = editor.feed(byte, &Commands, &mut screen).unwrap() {
            lines.push(line.as_str().to_owned());
            editor.begin(&mut screen).unwrap();
        }
        check(&editor, &screen);
    }
    (lines, editor, screen)
}

/// The terminal shows the part of the line around the cursor, and nothing else.
fn check(editor: &Editor, screen: &Screen) {
    let shown: Text = screen.line.iter().collect();
    let shown = shown.strip_prefix("> ").unwrap();
    let column = screen.column - 2;
    assert!(column <= WIDTH && shown.trim_end().len() <= WIDTH);
    let start = editor.line.cursor() - column;
    let end = editor.line.text().len().min(start + WIDTH);
    assert_eq!(shown.trim_end(), editor.line.text()[start..end].trim_end());
}

#[test]
fn lines_are_edited() {
    for (bytes, line) in [
        (&b"vms\r"[..], "vms"),
        (b"vmx\x7fs\r", "vms"),
        (b"vs\x1b[Dm\r", "vms"),
        (b"ms\x01v\x05 \r", "vms "),
        (b"start linux\x17\r", "start "),
        (b"start linux\x15vms\r", "vms"),
        (b"start\x01\x06\x06\x0b\r", "st"),
        (b"xvms\x1b[H\x1b[3~\r", "vms"),
        (b"lost\x03vms\r", "vms"),
        (b"sta\tt\t2\r", "stats 2"),
        (b"r\t1\r", "regs 1"),
    ] {
        assert_eq!(typed(bytes).0, [line], "{}", bytes.escape_ascii());
    }
}

#[test]
fn history_is_walked_and_edited() {
    assert_eq!(typed(b"one\rtwo\r\x10\x10\r").0, ["one", "two", "one"]);
    assert_eq!(typed(b"one\r\x1b[A!\r\x1b[A\x1b[A\r").0, ["one", "one!", "one"]);
    assert_eq!(typed(b"one\rdraft\x1b[A\x1b[B\r").0, ["one", "draft"]);
}

#[test]
fn completion_lists_what_is_open() {
    let (mut editor, mut out) = (Editor::new("> "), Text::new());
    for byte in b"sta\t" {
        editor.feed(*byte, &Commands, &mut out).unwrap();
    }
    assert!(out.contains("\nstart  stats\n\r> sta"), "{out:?}");
}

#[test]
fn a_long_line_scrolls() {
    let text = "0123456789".repeat(20);
    let (_, editor, screen) = typed(text.as_bytes());
    assert_eq!(editor.line.text(), text);
    assert!(screen.line.len() <= WIDTH + 2);
    let mut keys = text.clone().into_bytes();
    keys.extend([b"\x02".repeat(150), b"\x06".repeat(20), b"x\x01y\x05z\r".to_vec()].concat());
    assert_eq!(typed(&keys).0, [format!("y{}x{}z", &text[..70], &text[70..])]);
}

#[test]
fn any_bytes_are_survived() {
    const KEYS: &[u8] = b"\x1b[ABCD~13O\x01\x05\t\x08\x17";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..2000)
            .map(|_| match next() % 4 {
                // Keys, printable characters and anything at all.
                0 => KEYS[(next() % KEYS.len() as u64) as usize],
                1 => (next() % 95) as u8 + 0x20,
                2 => (next() % 32) as u8,
                _ => next() as u8,
            })
            .collect();
        let (lines, ..) = typed(&bytes);
        assert!(
            lines.iter().all(|line| line.len() <= CAPACITY && line.bytes().all(|byte| (0x20..0x7f).contains(&byte)))
        );
    }
}
