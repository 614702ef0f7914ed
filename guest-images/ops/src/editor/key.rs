//! Keys as a terminal sends them: control characters and the sequences of ECMA-48 that cursor keys make.

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A printable ASCII character.
    Character(u8),
    /// Return.
    Enter,
    /// Tab: complete the word.
    Complete,
    /// Backspace: erase the character before the cursor.
    EraseBefore,
    /// Delete: erase the character at the cursor.
    EraseAt,
    /// Ctrl-W: erase the word before the cursor.
    EraseWord,
    /// Ctrl-U: erase everything before the cursor.
    EraseToStart,
    /// Ctrl-K: erase everything from the cursor on.
    EraseToEnd,
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// To the start of the line.
    Home,
    /// To the end of the line.
    End,
    /// The line before, of those entered earlier.
    Older,
    /// The line after, of those entered earlier.
    Newer,
    /// Ctrl-C: give the line up.
    Cancel,
    /// Ctrl-L: show the line again.
    Redraw,
}

/// How far into a sequence the bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// After a carriage return: a line feed that follows belongs to it.
    Return,
    /// After ESC.
    Escape,
    /// After ESC O.
    Single,
    /// After ESC [, with the first parameter as far as it has come; the second and later ones count for nothing.
    Control { parameter: u8, later: bool },
}

/// Makes keys of bytes. Any byte may follow any other; what means nothing is left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decoder(State);

impl Decoder {
    /// A decoder before the first byte.
    pub const fn new() -> Self {
        Self(State::Ground)
    }

    /// Takes a byte; the key that it completes.
    pub fn feed(&mut self, byte: u8) -> Option<Key> {
        // A control character is a key of its own wherever it comes, and ends a sequence that was begun.
        if byte < 0x20 || byte == 0x7f {
            return self.control(byte);
        }
        let state = core::mem::take(&mut self.0);
        match (state, byte) {
            (State::Ground | State::Return, 0x20..=0x7e) => Some(Key::Character(byte)),
            (State::Escape, b'[') => self.enter(State::Control { parameter: 0, later: false }),
            (State::Escape, b'O') => self.enter(State::Single),
            (State::Single, _) => cursor(byte),
            (State::Control { parameter, later: false }, b'0'..=b'9') => {
                let parameter = parameter.saturating_mul(10).saturating_add(byte - b'0');
                self.enter(State::Control { parameter, later: false })
            }
            (State::Control { parameter, .. }, 0x20..=0x3f) => self.enter(State::Control { parameter, later: true }),
            (State::Control { parameter, .. }, b'~') => numbered(parameter),
            (State::Control { .. }, _) => cursor(byte),
            _ => None,
        }
    }

    fn enter(&mut self, state: State) -> Option<Key> {
        self.0 = state;
        None
    }

    fn control(&mut self, byte: u8) -> Option<Key> {
        let state = core::mem::take(&mut self.0);
        Some(match byte {
            b'\n' if state == State::Return => return None,
            b'\r' => {
                self.0 = State::Return;
                Key::Enter
            }
            b'\n' => Key::Enter,
            b'\t' => Key::Complete,
            0x08 | 0x7f => Key::EraseBefore,
            0x1b => return self.enter(State::Escape),
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Cancel,
            0x04 => Key::EraseAt,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x0b => Key::EraseToEnd,
            0x0c => Key::Redraw,
            0x0e => Key::Newer,
            0x10 => Key::Older,
            0x15 => Key::EraseToStart,
            0x17 => Key::EraseWord,
            _ => return None,
        })
    }
}

/// The key of a sequence by its final byte.
fn cursor(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Older,
        b'B' => Key::Newer,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Home,
        b'F' => Key::End,
        _ => return None,
    })
}

/// The key of a sequence `ESC [ PARAMETER ~`.
fn numbered(parameter: u8) -> Option<Key> {
    Some(match parameter {
        1 | 7 => Key::Home,
        4 | 8 => Key::End,
        3 => Key::EraseAt,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::new();
        bytes.iter().filter_map(|&byte| decoder.feed(byte)).collect()
    }

    #[test]
    fn cursor_keys_come_in_three_forms() {
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[C\x1b[D"), [Key::Older, Key::Newer, Key::Right, Key::Left]);
        assert_eq!(
            keys(b"\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[3~"),
            [Key::Home, Key::End, Key::Home, Key::End, Key::EraseAt]
        );
        // With a modifier, as many terminals send for Ctrl and cursor.
        assert_eq!(keys(b"\x1b[1;5C\x1b[3;2~"), [Key::Right, Key::EraseAt]);
    }

    #[test]
    fn one_return_is_one_key() {
        assert_eq!(keys(b"\r\n\n\r\r"), [Key::Enter; 4]);
        assert_eq!(keys(b"\ra\n"), [Key::Enter, Key::Character(b'a'), Key::Enter]);
    }

    #[test]
    fn a_control_character_ends_a_sequence() {
        assert_eq!(keys(b"\x1b[12\x03A"), [Key::Cancel, Key::Character(b'A')]);
        assert_eq!(keys(b"\x1b\r"), [Key::Enter]);
        assert_eq!(keys(b"\x1b[\x1b[A"), [Key::Older]);
    }

    #[test]
    fn what_means_nothing_is_left_out() {
        assert_eq!(keys(b"\xc3\xa4\xff\x00\x1bx\x1b[99999999999~\x1b[?25hz"), [Key::Character(b'z')]);
    }
}
