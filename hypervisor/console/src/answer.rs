//! What a terminal says by itself, among what a person types.
//!
//! A guest that is attached can make a terminal answer it: with numbers in control sequences of ECMA-48, with text of the guest's
//! choice in its strings, a window's title, say. The escape key in a string is nobody's, and what comes behind the escape key is
//! the person's key only if it is no part of an answer that came between. A person who types what begins a string, ESC and then
//! P, would wait for ever for the escape key to count again: so a sequence or a string also ends with a
//! [pause](Answers::step), which no terminal makes in an answer.
//!
//! A guest can have a terminal send keys themselves as control sequences (xterm's modifyOtherKeys, kitty's keyboard protocol).
//! Those that stand for a key of ASCII are understood, so that the escape key stays the person's.

/// ESC.
const ESC: u8 = 0x1b;

/// What a byte of the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key by itself.
    Key(u8),
    /// The last byte of a control sequence that stands for this key.
    Coded(u8),
    /// Part of an escape or control sequence.
    Sequence,
    /// Part of a string.
    String,
}

/// Where in an answer the input is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
// With a tag of its own, so that the first state is all zeros: the console, which is large, is zeros in the image then, and takes
// no room in it.
#[repr(u8)]
enum State {
    #[default]
    Keys,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte.
    Intermediate,
    /// In a control sequence.
    Control(Parameters),
    /// In the three bytes of a mouse report of X10.
    Mouse(u8),
    /// In a string.
    String,
    /// In a string, after ESC.
    Ending,
}

/// The parameters of a control sequence, as far as they matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parameters {
    /// The first three numbers.
    numbers: [u16; 3],
    /// The number behind the colon of the second one: what a key did.
    event: u16,
    /// Which number comes now.
    at: usize,
    /// Behind a colon, or two.
    colons: u8,
    /// It began.
    begun: bool,
    /// It has what no key has.
    foreign: bool,
}

impl Parameters {
    fn take(mut self, byte: u8) -> Self {
        self.begun = true;
        match byte {
            b'0'..=b'9' => {
                let number = match (self.colons, self.numbers.get_mut(self.at)) {
                    (0, Some(number)) => number,
                    (1, _) if self.at == 1 => &mut self.event,
                    _ => return self,
                };
                *number = number.saturating_mul(10).saturating_add(u16::from(byte & 0xf));
            }
            b';' => (self.at, self.colons) = (self.at.saturating_add(1), 0),
            b':' => self.colons = self.colons.saturating_add(1),
            _ => self.foreign = true,
        }
        self
    }

    /// The key that the sequence with this last byte stands for: `CSI key ; modifiers u`, or `CSI 27 ; modifiers ; key ~`.
    /// Modifiers are one more than their bits, of which bit 2 is Ctrl; a key that is let go is none.
    fn key(&self, last: u8) -> Option<u8> {
        const RELEASE: u16 = 3;
        const CONTROL: u16 = 1 << 2;
        const SHIFT_AND_LOCKS: u16 = 1 << 0 | 1 << 6 | 1 << 7;
        let (key, modifiers) = match (last, self.numbers) {
            (b'u', [key, modifiers, _]) => (key, modifiers),
            (b'~', [27, modifiers, key]) => (key, modifiers),
            _ => return None,
        };
        // Enter and Backspace end a choice of a VM, or edit it.
        let key = u8::try_from(key).ok().filter(|key| matches!(key, b'\r' | 0x20..=0x7f))?;
        if self.foreign || self.event == RELEASE {
            return None;
        }
        match modifiers.saturating_sub(1) & !SHIFT_AND_LOCKS {
            0 => Some(key),
            CONTROL => Some(key & 0x1f),
            _ => None,
        }
    }
}

/// A parser of the input, that tells answers from keys.
#[derive(Debug)]
pub struct Answers {
    state: State,
    /// The byte before was no ASCII: the next one may continue a character of UTF-8.
    high: bool,
}

impl Answers {
    /// Makes one that is in no answer.
    pub const fn new() -> Self {
        Self { state: State::Keys, high: false }
    }

    /// Takes a byte, and tells what it is. `paused`: there was nothing on the line for a while before it.
    pub fn step(&mut self, byte: u8, paused: bool) -> Part {
        let before = if paused { State::Keys } else { self.state };
        let continues = core::mem::replace(&mut self.high, byte >= 0x80);
        let (state, part) = step(before, byte, continues);
        self.state = state;
        part
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::new()
    }
}

fn step(before: State, byte: u8, continues: bool) -> (State, Part) {
    let begins = matches!(byte, b']' | b'P' | b'X' | b'^' | b'_');
    match (before, byte) {
        // CAN, SUB, and BEL, which ends what xterm answers if that is what the question ended with.
        (State::String | State::Ending, 0x18 | 0x1a | 0x07) => (State::Keys, Part::String),
        (State::Ending, b'\\') => (State::Keys, Part::String),
        (State::Ending, _) if begins => (State::String, Part::String),
        (State::String | State::Ending, ESC) => (State::Ending, Part::String),
        (State::String | State::Ending, _) => (State::String, Part::String),
        (State::Mouse(left), _) => {
            (left.checked_sub(1).filter(|&left| left != 0).map_or(State::Keys, State::Mouse), Part::Sequence)
        }
        (_, ESC) => (State::Escape, Part::Sequence),
        (State::Escape, b'[') => (State::Control(Parameters::default()), Part::Sequence),
        (State::Escape, _) if begins => (State::String, Part::Sequence),
        (State::Escape | State::Intermediate, 0x20..=0x2f) => (State::Intermediate, Part::Sequence),
        (State::Intermediate, 0x30..=0x7e) => (State::Keys, Part::Sequence),
        (State::Control(parameters), b'M') if !parameters.begun => (State::Mouse(3), Part::Sequence),
        (State::Control(parameters), 0x20..=0x3f) => (State::Control(parameters.take(byte)), Part::Sequence),
        (State::Control(parameters), 0x40..=0x7e) => {
            (State::Keys, parameters.key(byte).map_or(Part::Sequence, Part::Coded))
        }
        // The C1 controls that begin control sequences and strings, for a terminal that was told to answer with them.
        (_, 0x9b) if !continues => (State::Control(Parameters::default()), Part::Sequence),
        (_, 0x90 | 0x98 | 0x9d..=0x9f) if !continues => (State::String, Part::Sequence),
        _ => (State::Keys, Part::Key(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each byte is: itself for a key, `c` for one that ends a coded key, `-` for a sequence, `s` for a string.
    fn parts(input: &[u8]) -> String {
        let mut answers = Answers::new();
        let shown = |part| match part {
            Part::Key(byte @ b' '..=b'~') => byte as char,
            Part::Key(_) => '.',
            Part::Coded(_) => 'c',
            Part::Sequence => '-',
            Part::String => 's',
        };
        input.iter().map(|&byte| shown(answers.step(byte, false))).collect()
    }

    fn coded(input: &[u8]) -> Part {
        let mut answers = Answers::new();
        input.iter().map(|&byte| answers.step(byte, false)).last().unwrap()
    }

    #[test]
    fn strings_are_told_from_keys() {
        assert_eq!(parts(b"a\x1b]l\x1dq\x1b\\\x1d"), "a--sssss.");
        assert_eq!(parts(b"\x1bP1$r\x1dq\x07\x1d"), "--ssssss.");
        assert_eq!(parts("\u{41d}\x1d".as_bytes()), "...", "a letter whose second byte is that of a C1 control");
        assert_eq!(parts(b"\x9d\x1d\x18\x1d"), "-ss.");
        assert_eq!(parts(b"\x1b\x1b]\x1d\x1b]\x1d\x1b\x1b\\\x1d"), "---sssssss.");
    }

    #[test]
    fn sequences_are_told_from_keys() {
        assert_eq!(parts(b"\x1b[5;5R\x1d"), "------.", "a position");
        assert_eq!(parts(b"\x1b[?62;22cq"), "---------q", "what kind of terminal it is");
        assert_eq!(parts(b"\x9b0nq"), "---q", "by a C1 control");
        assert_eq!(parts(b"\x1b/Zq"), "---q", "that of a VT52");
        assert_eq!(parts(b"\x1b[M qqd"), "------d", "the mouse is at column 81");
        assert_eq!(parts(b"\x1b[<35;5;5Md"), "----------d", "the mouse in another form");
        assert_eq!(parts(b"\x1b[1\x1dq"), "---.q", "the escape key is in no sequence");
        assert_eq!(parts(b"\x1bd"), "-d", "Alt and d");
    }

    #[test]
    fn keys_that_come_as_sequences_are_understood() {
        for ctrl in [&b"\x1b[93;5u"[..], b"\x1b[27;5;93~", b"\x1b[93:125;5:1u", b"\x1b[93;69u", b"\x9b93;5u"] {
            assert_eq!(coded(ctrl), Part::Coded(0x1d), "{ctrl:?}");
        }
        assert_eq!((coded(b"\x1b[100u"), coded(b"\x1b[100;1:2u")), (Part::Coded(b'd'), Part::Coded(b'd')));
        assert_eq!((coded(b"\x1b[13u"), coded(b"\x1b[127;1u")), (Part::Coded(b'\r'), Part::Coded(0x7f)));
        for other in [&b"\x1b[93;5:3u"[..], b"\x1b[57442;5u", b"\x1b[93;3u", b"\x1b[?93;5u", b"\x1b[5~", b"\x1b[93;5R"]
        {
            assert_eq!(coded(other), Part::Sequence, "{other:?}");
        }
    }

    #[test]
    fn a_pause_ends_an_answer() {
        let mut answers = Answers::new();
        assert_eq!(
            [ESC, b'P', 0x1d].map(|byte| answers.step(byte, false)),
            [Part::Sequence, Part::Sequence, Part::String]
        );
        assert_eq!(answers.step(0x1d, true), Part::Key(0x1d), "a person was slow");
        assert_eq!(answers.step(0x1d, false), Part::Key(0x1d));
        assert_eq!((answers.step(ESC, true), answers.step(b'[', true)), (Part::Sequence, Part::Key(b'[')));
    }

    #[test]
    fn any_input_is_taken() {
        let mut answers = Answers::new();
        let mut random = 1_u32;
        for _ in 0..if cfg!(miri) { 2_000 } else { 1_000_000 } {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let byte = [ESC, b'[', b';', b':', b'9', b'u', b'~', (random >> 8) as u8][(random >> 29) as usize];
            answers.step(byte, random & 0xfff == 0);
        }
    }
}
