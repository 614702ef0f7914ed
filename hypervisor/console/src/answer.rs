//! What a terminal says by itself, among what a person types.
//!
//! A guest that is attached can make a terminal answer it, with text of the guest's choice: a window's title, say. Such an
//! answer is a string of ECMA-48, and the escape key in it is nobody's. A person who types what begins a string, ESC and then
//! P, would wait for ever for the escape key to count again: so a string also ends with a [pause](Answers::step), which no
//! terminal makes in an answer.

/// ESC.
const ESC: u8 = 0x1b;

/// Where in an answer the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Keys,
    /// After ESC.
    Escape,
    /// In a string.
    String,
    /// In a string, after ESC.
    Ending,
}

/// A parser of the input, that tells strings from keys.
#[derive(Debug)]
pub struct Answers {
    state: State,
    /// The byte before was no ASCII: the next one may continue a character of UTF-8.
    high: bool,
}

impl Answers {
    /// Makes one that is in no string.
    pub const fn new() -> Self {
        Self { state: State::Keys, high: false }
    }

    /// Takes a byte; `paused`: there was nothing on the line for a while before it. Whether the byte is part of a string.
    pub fn step(&mut self, byte: u8, paused: bool) -> bool {
        let before = if paused { State::Keys } else { self.state };
        let continues = core::mem::replace(&mut self.high, byte >= 0x80);
        let begins = matches!(byte, b']' | b'P' | b'X' | b'^' | b'_');
        self.state = match (before, byte) {
            // CAN, SUB, and BEL, which ends what xterm answers if that is what the question ended with.
            (_, 0x18 | 0x1a) | (State::String | State::Ending, 0x07) => State::Keys,
            (State::Ending, b'\\') => State::Keys,
            (State::Escape | State::Ending, _) if begins => State::String,
            (State::String | State::Ending, ESC) => State::Ending,
            (State::String | State::Ending, _) => State::String,
            (_, ESC) => State::Escape,
            // The C1 controls that begin strings, for a terminal that was told to answer with them.
            (_, 0x90 | 0x98 | 0x9d..=0x9f) if !continues => State::String,
            _ => State::Keys,
        };
        matches!(before, State::String | State::Ending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which bytes count as part of a string, `.` for those that do not.
    fn strings(input: &[u8]) -> String {
        let mut answers = Answers::new();
        input.iter().map(|&byte| if answers.step(byte, false) { 's' } else { '.' }).collect()
    }

    #[test]
    fn strings_are_told_from_keys() {
        assert_eq!(strings(b"a\x1b]l\x1dq\x1b\\\x1d"), "...sssss.");
        assert_eq!(strings(b"\x1bP1$r\x1dq\x07\x1d"), "..ssssss.");
        assert_eq!(strings(b"\x1b[5;5R\x1d"), ".......", "a position is no string");
        assert_eq!(strings("\u{41d}\x1d".as_bytes()), "...", "a letter whose second byte is that of a C1 control");
        assert_eq!(strings(b"\x9d\x1d\x18\x1d"), ".ss.");
        assert_eq!(strings(b"\x1b\x1b]\x1d\x1b]\x1d\x1b\x1b\\\x1d"), "...sssssss.");
    }

    #[test]
    fn a_pause_ends_a_string() {
        let mut answers = Answers::new();
        assert!(!answers.step(ESC, true) && !answers.step(b'P', false) && answers.step(0x1d, false));
        assert!(!answers.step(0x1d, true), "a person was slow");
        assert!(!answers.step(0x1d, false));
    }
}
