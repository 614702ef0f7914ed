//! A full screen that a program in a guest has drawn: the guest tells the bytes that its terminal got, and a terminal that somebody
//! else has written makes a screen of them.

use std::num::NonZeroU16;

/// What a line with some of the bytes holds.
const BYTES: &str = "controls-check: bytes=";
/// With this a program gives the screen back as it was.
const LEAVES: &[u8] = b"\x1b[?1049l";
/// The size of the screen, as a serial line's.
const SIZE: (u16, u16) = (24, 80);

/// What is wrong with the last screen of `vm`'s that is expected to show `texts`, if something is.
pub fn lacking(vm: &str, texts: &[&str], lines: &[String]) -> Option<String> {
    let Some(bytes) = hexadecimal(vm, BYTES, lines) else {
        return Some(format!("{vm}: its terminal's bytes are no hexadecimal"));
    };
    let Some(end) = bytes.windows(LEAVES.len()).rposition(|window| window == LEAVES) else {
        return Some(format!("{vm}: {} bytes of its terminal do not end with the screen as it was", bytes.len()));
    };
    let (Some(rows), Some(columns)) = (NonZeroU16::new(SIZE.0), NonZeroU16::new(SIZE.1)) else { return None };
    let mut terminal = vt100::Parser::new(rows, columns, 0);
    terminal.process(bytes.get(..end).unwrap_or_default());
    let shown = terminal.screen().contents();
    let missing = texts.iter().find(|text| !shown.contains(**text));
    missing.map(|text| format!("{vm}: the screen does not show {text:?}:\n{shown}"))
}

/// The bytes that `vm` tells in lines with this word in front.
pub fn hexadecimal(vm: &str, word: &str, lines: &[String]) -> Option<Vec<u8>> {
    let start = format!("[{vm}] {word}");
    let digits: String = lines.iter().filter_map(|line| line.strip_prefix(&start)).collect();
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_screen_is_looked_at() {
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let bytes = hexadecimal(b"\x1b[?1049h\x1b[2J\x1b[3;5Hold\x1b[3;5Hnew\x1b[?1049lafter");
        let (first, second) = bytes.split_at(20);
        let lines = [first, second].map(|part| format!("[linux] {BYTES}{part}"));
        assert_eq!(lacking("linux", &["    new"], &lines), None);
        assert!(lacking("linux", &["old"], &lines).unwrap().contains("new"), "the message has the screen");
        assert!(lacking("linux", &["after"], &lines).is_some(), "what comes behind is no screen");
        assert!(lacking("linux", &[], &lines[..1]).unwrap().contains("do not end"));
        assert!(
            lacking("linux", &[], &["[linux] controls-check: bytes=0x".to_owned()]).unwrap().contains("hexadecimal")
        );
    }
}
