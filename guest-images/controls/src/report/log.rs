//! What a VM's guest has written to its console of late, as text that does nothing to a terminal.

use heapless::String;
use portcullis_abi::manage::{LOG, LOG_KEPT};

use crate::calls::Calls;
use crate::pieces;

/// Reads it, and gives it to `take` piece by piece.
///
/// # Errors
/// Those of a call.
pub fn read<C: Calls + ?Sized>(calls: &mut C, vm: u64, mut take: impl FnMut(&str)) -> Result<(), C::Error> {
    let mut plain = Plain::new();
    let call = |calls: &mut C, position| calls.call(LOG, [vm, position, 0]);
    // One that writes as fast as it is read does not end.
    pieces::read(calls, LOG_KEPT, call, |bytes| bytes.iter().for_each(|byte| plain.feed(*byte, &mut take)))?;
    plain.finish(&mut take);
    Ok(())
}

/// Where in a sequence of ECMA-48 the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Text,
    /// Behind ESC.
    Escape,
    /// In a control sequence, ESC [.
    Control,
    /// In a string, which BEL or ESC \ ends.
    String,
}

/// Lets text, line feeds and tabs pass, and leaves the rest out.
struct Plain {
    place: Place,
    /// The beginning of a character in UTF-8.
    begun: heapless::Vec<u8, 4>,
    text: String<64>,
}

impl Plain {
    const fn new() -> Self {
        Self { place: Place::Text, begun: heapless::Vec::new(), text: String::new() }
    }

    fn feed(&mut self, byte: u8, take: &mut impl FnMut(&str)) {
        if !byte.is_ascii() {
            return self.feed_character(byte, take);
        }
        if !self.begun.is_empty() {
            self.begun.clear();
            self.push('?', take);
        }
        self.place = match (self.place, byte) {
            (Place::String, 0x07) => Place::Text,
            (Place::Text | Place::String | Place::Control, 0x1b) => Place::Escape,
            (Place::String, _) => Place::String,
            (Place::Control, 0x40..=0x7e) => Place::Text,
            (Place::Control, _) => Place::Control,
            (Place::Escape, b'[') => Place::Control,
            (Place::Escape, b']' | b'P' | b'X' | b'^' | b'_') => Place::String,
            // Intermediate bytes, of which there may be several.
            (Place::Escape, 0x20..=0x2f) => Place::Escape,
            (Place::Escape, _) => Place::Text,
            (Place::Text, b'\n' | b'\t' | b' '..=b'~') => return self.push(char::from(byte), take),
            (Place::Text, _) => Place::Text,
        };
    }

    fn feed_character(&mut self, byte: u8, take: &mut impl FnMut(&str)) {
        // There are never more than three of one that is not whole.
        let _ = self.begun.push(byte);
        match core::str::from_utf8(&self.begun) {
            Ok(text) => {
                let character = text.chars().next().filter(|character| !character.is_control()).unwrap_or('?');
                self.begun.clear();
                if self.place == Place::Text {
                    self.push(character, take);
                }
            }
            Err(error) if error.error_len().is_some() => {
                self.begun.clear();
                self.push('?', take);
            }
            Err(_) => {}
        }
    }

    fn push(&mut self, character: char, take: &mut impl FnMut(&str)) {
        if self.text.push(character).is_err() {
            take(&self.text);
            self.text.clear();
            // A piece has room for any character.
            let _ = self.text.push(character);
        }
    }

    /// Gives what is left, and ends its line.
    fn finish(mut self, take: &mut impl FnMut(&str)) {
        if !self.text.is_empty() {
            if !self.text.ends_with('\n') {
                self.push('\n', take);
            }
            take(&self.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bytes: &[u8]) -> std::string::String {
        let (mut all, mut plain) = (std::string::String::new(), Plain::new());
        let mut take = |text: &str| all.push_str(text);
        bytes.iter().for_each(|byte| plain.feed(*byte, &mut take));
        plain.finish(&mut take);
        all
    }

    #[test]
    fn text_passes_and_nothing_reaches_the_terminal() {
        for (written, shown) in [
            (&b""[..], ""),
            (b"one\r\ntwo\tthree", "one\ntwo\tthree\n"),
            (b"\x1b[1;31mred\x1b[0m\x1b(B\n", "red\n"),
            (b"\x1b]0;title\x07a\x1bP1;2\x1b\\b\n", "ab\n"),
            ("f\u{fc}r \u{1f600}\n".as_bytes(), "f\u{fc}r \u{1f600}\n"),
            (b"\xfc\xc3(\x07\x7f\n", "??(\n"),
            ("\u{9b}31m\n".as_bytes(), "?31m\n"),
        ] {
            assert_eq!(plain(written), shown);
        }
        let long = "0123456789".repeat(50) + "\n";
        assert_eq!(plain(long.as_bytes()), long);
        let mut seed = 1_u32;
        let noise: Vec<u8> = (0..20_000)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        assert!(plain(&noise).chars().all(|character| !character.is_control() || "\n\t".contains(character)));
    }
}
