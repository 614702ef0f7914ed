//! What is typed at a terminal that is attached to a VM: keys for the VM, but for those behind the escape key.

use portcullis_console::{Answers, Part};

/// The escape key, if nobody wants another one. Not Ctrl-], which is the hypervisor's at its serial line.
pub const DEFAULT: &str = "^\\";

/// A key that leads to those of the program, not of the VM. None: there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escape(Option<u8>);

impl Escape {
    /// Reads it as it is written: `^` and the key that is held with Ctrl, or `none`.
    ///
    /// # Errors
    /// It is written otherwise.
    pub fn parse(word: &str) -> Result<Self, String> {
        match word.as_bytes() {
            b"none" => Ok(Self(None)),
            [b'^', key] if (b'@'..=b'_').contains(&key.to_ascii_uppercase()) => {
                Ok(Self(Some(key.to_ascii_uppercase() & 0x1f)))
            }
            _ => Err("^ and the key that is held with Ctrl, as ^\\ or ^A, or none".to_owned()),
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        self.0.map_or_else(String::new, |key| format!("Ctrl-{}", char::from(key | 0x40)))
    }

    /// What to say to a person who is attached now.
    pub fn hint(self) -> String {
        self.0.map_or_else(String::new, |_| format!("; {} then d detaches, ? helps", self.name()))
    }
}

/// What a byte of the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Nothing yet.
    None,
    /// It is for the VM.
    Typed(u8),
    /// The person leaves.
    Detach,
    /// The person wants to know the keys.
    Help,
}

/// See the module. What a terminal says by itself, because a guest has asked it, is the guest's as a whole: no guest has it press a
/// key behind the escape key.
#[derive(Debug)]
pub struct Keys {
    escape: Escape,
    /// The last key was the escape key.
    escaped: bool,
    answers: Answers,
}

impl Keys {
    /// Those of a person, or of a pipe, in which nothing but `person` has keys of the program's.
    pub const fn new(escape: Escape, person: bool) -> Self {
        let escape = if person { escape } else { Escape(None) };
        Self { escape, escaped: false, answers: Answers::new() }
    }

    /// Takes a byte. `paused`: nothing came for a while before it.
    pub fn press(&mut self, byte: u8, paused: bool) -> Key {
        let Some(escape) = self.escape.0 else { return Key::Typed(byte) };
        match self.answers.step(byte, paused) {
            Part::Key(key) | Part::Coded(key) if core::mem::take(&mut self.escaped) => match key {
                b'd' | b'.' => Key::Detach,
                key if key == escape || key == escape | 0x40 => Key::Typed(escape),
                _ => Key::Help,
            },
            Part::Key(key) if key == escape => {
                self.escaped = true;
                Key::None
            }
            Part::Coded(key) => {
                // The guest has had its beginning.
                self.escaped = key == escape;
                Key::Typed(byte)
            }
            Part::Key(_) | Part::Sequence | Part::String => Key::Typed(byte),
        }
    }

    /// The keys, as a person is told of them.
    pub fn help(&self) -> String {
        let name = self.escape.name();
        format!("{name} then d detaches, {name} twice sends it to the VM")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(escape: &str, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::new(Escape::parse(escape).unwrap(), true);
        bytes.iter().map(|byte| keys.press(*byte, false)).filter(|key| *key != Key::None).collect()
    }

    fn typed(bytes: &[u8]) -> Vec<Key> {
        bytes.iter().map(|byte| Key::Typed(*byte)).collect()
    }

    #[test]
    fn what_is_typed_is_the_vm_s_but_for_the_escape_key() {
        assert_eq!(pressed(DEFAULT, b"ls\r\x03\x1d"), typed(b"ls\r\x03\x1d"));
        assert_eq!(pressed(DEFAULT, b"a\x1cd"), [Key::Typed(b'a'), Key::Detach]);
        assert_eq!(pressed(DEFAULT, b"\x1c."), [Key::Detach]);
        assert_eq!(pressed(DEFAULT, b"\x1c\x1cd\x1c\\"), typed(b"\x1cd\x1c"), "twice sends it");
        assert_eq!(pressed(DEFAULT, b"\x1c?x"), [Key::Help, Key::Typed(b'x')]);
        assert_eq!(pressed("^a", b"\x01\x01\x1cd\x01d"), [typed(b"\x01\x1cd"), vec![Key::Detach]].concat());
        assert_eq!(pressed("none", b"\x1cd"), typed(b"\x1cd"));
        let mut pipe = Keys::new(Escape::parse(DEFAULT).unwrap(), false);
        assert_eq!(b"\x1cd".map(|byte| pipe.press(byte, false)).to_vec(), typed(b"\x1cd"), "it has none");
    }

    /// A guest has set a title, and asks the terminal for it; or the cursor's place, between two keys of the person's.
    #[test]
    fn what_a_terminal_says_by_itself_is_no_key() {
        assert_eq!(pressed(DEFAULT, b"\x1b]l\x1cd\x1b\\"), typed(b"\x1b]l\x1cd\x1b\\"));
        assert_eq!(pressed(DEFAULT, b"\x1c\x1b[1;2Rd"), [typed(b"\x1b[1;2R"), vec![Key::Detach]].concat());
        // A key in kitty's coding.
        assert_eq!(pressed(DEFAULT, b"\x1b[92;5ud"), [typed(b"\x1b[92;5u"), vec![Key::Detach]].concat());
    }

    #[test]
    fn an_escape_key_is_written_with_ctrl() {
        assert_eq!(Escape::parse("^\\").unwrap().name(), "Ctrl-\\");
        assert_eq!(Escape::parse("^t").unwrap().hint(), "; Ctrl-T then d detaches, ? helps");
        assert_eq!(Escape::parse("none").unwrap().hint(), "");
        for wrong in ["", "^", "a", "^1", "^ab", "Ctrl-A", "^\u{e4}"] {
            assert!(Escape::parse(wrong).is_err(), "{wrong}");
        }
    }
}
