//! A terminal, as far as guests can change it: what is on its screen, and its modes.

use std::collections::BTreeSet;

/// Where in a sequence the terminal is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    Escape,
    /// After ESC and an intermediate byte, which it keeps.
    Intermediate(u8),
    Control,
    String,
    StringEscape,
}

/// A terminal of the kind of xterm.
pub struct Model {
    columns: usize,
    height: usize,
    /// All rows, those that have scrolled out too; the cursor's is one of the last `height`.
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    /// The last column has a character: the next one wraps.
    full: bool,
    state: State,
    parameters: String,
    utf8: Vec<u8>,
    /// Modes that are not as they were when it was switched on, by name.
    changed: BTreeSet<String>,
}

impl Model {
    /// A terminal that was just switched on.
    pub fn new(columns: usize, height: usize) -> Self {
        let rows = vec![Vec::new(); height];
        let (state, parameters, utf8, changed) = (State::Ground, String::new(), Vec::new(), BTreeSet::new());
        Self { columns, height, rows, row: 0, column: 0, full: false, state, parameters, utf8, changed }
    }

    /// The rows, as text without what is blank behind it.
    pub fn rows(&self) -> Vec<String> {
        self.rows.iter().map(|row| row.iter().collect::<String>().trim_end().to_owned()).collect()
    }

    /// The row so many above the last one.
    pub fn row(&self, above: usize) -> String {
        self.rows().into_iter().nth_back(above).unwrap_or_default()
    }

    /// What is not as it was when it was switched on.
    pub fn changed(&self) -> Vec<String> {
        let open = (self.state != State::Ground || !self.utf8.is_empty()).then(|| "in a sequence".to_owned());
        self.changed.iter().cloned().chain(open).collect()
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.take(byte));
    }

    fn set(&mut self, name: &str, changed: bool) {
        if changed {
            self.changed.insert(name.to_owned());
        } else {
            self.changed.remove(name);
        }
    }

    fn take(&mut self, byte: u8) {
        if matches!(self.state, State::Ground) && self.character(byte) {
            return;
        }
        match (self.state, byte) {
            (_, 0x18 | 0x1a) => self.state = State::Ground,
            (State::String, 0x07) => self.state = State::Ground,
            (State::String, 0x1b) => self.state = State::StringEscape,
            (State::String, _) => {}
            (State::StringEscape, b'\\') => self.state = State::Ground,
            (_, 0x1b) => self.state = State::Escape,
            (State::StringEscape, _) => {
                self.state = State::Escape;
                self.take(byte);
            }
            (_, 0x08..=0x0f) => self.control(byte),
            (_, ..0x20 | 0x7f..) => {}
            (State::Escape, b'[') => {
                self.parameters.clear();
                self.state = State::Control;
            }
            (State::Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.state = State::String,
            (State::Escape, 0x20..=0x2f) => self.state = State::Intermediate(byte),
            (State::Escape, _) => {
                self.state = State::Ground;
                match byte {
                    b'=' => self.set("keypad", true),
                    b'>' => self.set("keypad", false),
                    b'c' => self.changed.clear(),
                    _ => {}
                }
            }
            (State::Intermediate(_), 0x20..=0x2f) => {}
            (State::Intermediate(kind), _) => {
                self.state = State::Ground;
                match (kind, byte) {
                    (b' ', b'F') => self.set("C1 of eight bits", false),
                    (b' ', b'G') => self.set("C1 of eight bits", true),
                    (b'(', _) => self.set("G0", byte != b'B'),
                    (b')', _) => self.set("G1", byte != b'B'),
                    _ => {}
                }
            }
            (State::Control, 0x20..=0x3f) => self.parameters.push(char::from(byte)),
            (State::Control, _) => {
                self.state = State::Ground;
                self.sequence(byte);
            }
            (State::Ground, _) => {}
        }
    }

    fn sequence(&mut self, last: u8) {
        let text = core::mem::take(&mut self.parameters);
        let private = text.starts_with('?');
        let numbers: Vec<&str> = text.trim_start_matches('?').split(';').collect();
        match (text.as_str(), last) {
            ("!", b'p') => {
                // DECSTR (DEC STD 070).
                for name in ["?25", "4", "?6", "?1", "keypad", "region", "G0", "G1", "shifted", "attributes"] {
                    self.set(name, false);
                }
            }
            ("" | "1;24", b'r') => self.set("region", false),
            (_, b'r') => self.set("region", true),
            ("" | "0", b'm') => self.set("attributes", false),
            (">4", b'm') => self.set("keys of xterm", false),
            (keys, b'm') if keys.starts_with(">4;") => self.set("keys of xterm", true),
            (_, b'm') if !text.starts_with(['>', '?']) => self.set("attributes", true),
            ("=0", b'u') => self.set("keys of kitty", false),
            (keys, b'u') if keys.starts_with('=') => self.set("keys of kitty", true),
            ("?5", b'W') => self.set("tabs", false),
            (_, b'g') => self.set("tabs", true),
            (_, b'h' | b'l') => {
                for number in numbers {
                    let name = if private { format!("?{number}") } else { number.to_owned() };
                    let known = ["?1", "?5", "?6", "?7", "?25", "?1049", "?2004", "4", "20"].contains(&name.as_str());
                    if known || private && (number.starts_with("100") || number == "1015") {
                        let usual = ["?7", "?25"].contains(&name.as_str());
                        self.set(&name, (last == b'h') != usual);
                    }
                }
            }
            (_, b'H') => {
                let number =
                    |at: usize| numbers.get(at).and_then(|number| number.parse().ok()).unwrap_or(1_usize).max(1);
                self.row = self.rows.len() - self.height + (number(0) - 1).min(self.height - 1);
                self.column = (number(1) - 1).min(self.columns - 1);
                self.full = false;
            }
            _ => {}
        }
    }

    fn control(&mut self, byte: u8) {
        match byte {
            0x08 => self.column = self.column.saturating_sub(1),
            b'\t' => self.column = (self.column / 8 * 8 + 8).min(self.columns - 1),
            b'\n'..=0x0c => self.line_feed(),
            b'\r' => self.column = 0,
            0x0e => self.set("shifted", true),
            _ => self.set("shifted", false),
        }
        self.full &= byte == b'\t';
    }

    fn line_feed(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(Vec::new());
        }
    }

    /// Takes a byte that is part of a character. Whether it is.
    fn character(&mut self, byte: u8) -> bool {
        if byte < 0x80 {
            self.utf8.clear();
            if byte >= 0x20 && byte != 0x7f {
                self.put(char::from(byte));
                return true;
            }
            return false;
        }
        self.utf8.push(byte);
        match core::str::from_utf8(&self.utf8) {
            Ok(text) => {
                let char = text.chars().next().unwrap();
                self.utf8.clear();
                match char {
                    '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => self.state = State::String,
                    '\u{9b}' => {
                        self.parameters.clear();
                        self.state = State::Control;
                    }
                    _ => self.put(char),
                }
            }
            Err(error) if error.error_len().is_some() => {
                self.utf8.clear();
                self.put('\u{fffd}');
            }
            Err(_) => {}
        }
        true
    }

    fn put(&mut self, char: char) {
        let width = match u32::from(char) {
            0x300..=0x36f | 0x200b..=0x200f => return,
            0x1100.. if char != '\u{fffd}' => 2,
            _ => 1,
        };
        if self.full || self.column + width > self.columns {
            self.column = 0;
            self.full = false;
            self.line_feed();
        }
        let (row, column) = (&mut self.rows[self.row], self.column);
        if row.len() < column + width {
            row.resize(column + width, ' ');
        }
        row[column] = char;
        if width == 2 {
            row[column + 1] = '\u{200b}';
        }
        self.column += width;
        if self.column >= self.columns {
            self.column = self.columns - 1;
            self.full = true;
        }
    }
}
