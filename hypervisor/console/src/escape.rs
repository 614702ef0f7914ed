//! What a guest's bytes mean to a terminal: text, line control, and sequences that act on the terminal itself.

/// One meaning of the bytes fed to a [`Terminal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A printable character or tab.
    Text(Glyph),
    /// Line feed.
    Newline,
    /// Carriage return.
    Return,
    /// Backspace.
    Backspace,
}

/// A character in UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Glyph {
    bytes: [u8; 4],
    len: u8,
}

impl Glyph {
    const fn ascii(byte: u8) -> Self {
        Self { bytes: [byte, 0, 0, 0], len: 1 }
    }

    /// The character's bytes, one to four.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// Where in a sequence of ECMA-48 the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte.
    Intermediate,
    /// In a control sequence, ESC [.
    Control,
    /// In a string (operating system command and the like) that only its terminator ends.
    String,
}

/// A parser for the output of one guest; it passes text and line control, and leaves out everything else: escape
/// sequences, control characters (those of Unicode too), marks that reorder text. Malformed UTF-8 becomes `?`. It never
/// yields more bytes than it was fed.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    state: State,
    glyph: Glyph,
    wanted: u8,
}

impl Terminal {
    pub const fn new() -> Self {
        Self { state: State::Ground, glyph: Glyph { bytes: [0; 4], len: 0 }, wanted: 0 }
    }

    /// Whether the terminal would take the next character as part of a sequence.
    pub fn is_in_sequence(&self) -> bool {
        self.state != State::Ground
    }

    /// Takes one byte and gives what it completes to `emit`, two events at the most.
    pub fn feed(&mut self, byte: u8, mut emit: impl FnMut(Event)) {
        if self.glyph.len != 0 {
            if byte & 0xc0 == 0x80 {
                return self.continue_glyph(byte, emit);
            }
            self.glyph.len = 0;
            emit(Event::Text(Glyph::ascii(b'?')));
        }
        match byte {
            b'\n' => {
                // Whatever was begun ends with the line, so that no line is swallowed.
                self.state = State::Ground;
                emit(Event::Newline);
            }
            0x18 | 0x1a => self.state = State::Ground,
            0x1b => self.state = State::Escape,
            _ => self.step(byte, emit),
        }
    }

    fn step(&mut self, byte: u8, mut emit: impl FnMut(Event)) {
        self.state = match (self.state, byte) {
            (State::String, 0x07) => State::Ground,
            (State::String, _) => State::String,
            (state, b'\r' | 0x08) => {
                emit(if byte == b'\r' { Event::Return } else { Event::Backspace });
                state
            }
            (State::Ground, _) => return self.ground(byte, emit),
            (state, ..0x20) => state,
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => State::String,
            (State::Escape | State::Intermediate, 0x20..=0x2f) => State::Intermediate,
            (State::Control, 0x20..=0x3f) => State::Control,
            _ => State::Ground,
        };
    }

    fn ground(&mut self, byte: u8, mut emit: impl FnMut(Event)) {
        self.wanted = match byte {
            b'\t' | 0x20..=0x7e => return emit(Event::Text(Glyph::ascii(byte))),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80.. => return emit(Event::Text(Glyph::ascii(b'?'))),
            _ => return,
        };
        self.glyph = Glyph::ascii(byte);
    }

    fn continue_glyph(&mut self, byte: u8, mut emit: impl FnMut(Event)) {
        if let Some(cell) = self.glyph.bytes.get_mut(usize::from(self.glyph.len)) {
            *cell = byte;
        }
        self.glyph.len = self.glyph.len.wrapping_add(1);
        if self.glyph.len < self.wanted {
            return;
        }
        let glyph = core::mem::take(&mut self.glyph);
        match core::str::from_utf8(glyph.bytes()).ok().and_then(|text| text.chars().next()) {
            None => emit(Event::Text(Glyph::ascii(b'?'))),
            // The C1 controls begin sequences as ESC does.
            Some('\u{9b}') => self.state = State::Control,
            Some('\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}') => self.state = State::String,
            Some(char) if is_harmless(char) => emit(Event::Text(glyph)),
            Some(_) => {}
        }
    }
}

/// Whether a character neither controls the terminal nor changes the direction of the text around it.
pub fn is_harmless(char: char) -> bool {
    !char.is_control()
        && !matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
