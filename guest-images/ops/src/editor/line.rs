//! The line that is being edited.

use heapless::String;

/// Longest line in bytes.
pub const CAPACITY: usize = 255;

/// Printable ASCII text with a cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    text: String<CAPACITY>,
    cursor: usize,
}

impl Line {
    /// An empty line.
    pub const fn new() -> Self {
        Self { text: String::new(), cursor: 0 }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.cursor).unwrap_or_default()
    }

    /// Characters before the cursor.
    pub const fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether the cursor is behind the last character.
    pub fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Puts a printable ASCII character before the cursor. False if it is none, or the line is full.
    pub fn insert(&mut self, byte: u8) -> bool {
        if !matches!(byte, 0x20..=0x7e) || self.text.len() == CAPACITY {
            return false;
        }
        let after = self.after();
        self.text.truncate(self.cursor);
        // The room was seen to be there.
        let _ = self.text.push(char::from(byte));
        let _ = self.text.push_str(&after);
        self.cursor += 1;
        true
    }

    /// Replaces the text; the cursor goes to its end. What does not fit is left out.
    pub fn replace(&mut self, text: &str) {
        self.clear();
        for byte in text.bytes() {
            self.insert(byte);
        }
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
    }

    /// Moves the cursor to a character; behind the last one if there are fewer.
    pub fn go_to(&mut self, position: usize) {
        self.cursor = position.min(self.text.len());
    }

    /// Erases from a position before the cursor up to the cursor. False if there is nothing.
    pub fn erase_back_to(&mut self, start: usize) -> bool {
        if start >= self.cursor {
            return false;
        }
        let after = self.after();
        self.text.truncate(start);
        let _ = self.text.push_str(&after);
        self.cursor = start;
        true
    }

    /// Erases the character at the cursor. False if there is none.
    pub fn erase_at(&mut self) -> bool {
        if self.is_at_end() {
            return false;
        }
        self.cursor += 1;
        self.erase_back_to(self.cursor - 1)
    }

    /// Erases everything from the cursor on. False if there is nothing.
    pub fn erase_to_end(&mut self) -> bool {
        let some = !self.is_at_end();
        self.text.truncate(self.cursor);
        some
    }

    /// Where the word before the cursor begins; spaces between it and the cursor belong to it.
    pub fn word_start(&self) -> usize {
        self.before().trim_end_matches(' ').rfind(' ').map_or(0, |space| space + 1)
    }

    fn after(&self) -> String<CAPACITY> {
        let mut after = String::new();
        let _ = after.push_str(self.text.get(self.cursor..).unwrap_or_default());
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, cursor: usize) -> Line {
        let mut line = Line::new();
        line.replace(text);
        line.go_to(cursor);
        line
    }

    #[test]
    fn characters_go_before_the_cursor() {
        let mut edited = line("ac", 1);
        assert!(edited.insert(b'b'));
        assert_eq!(edited, line("abc", 2));
        assert!(!edited.insert(0x1b) && !edited.insert(0x80));
        assert_eq!(edited.before(), "ab");
    }

    #[test]
    fn a_full_line_takes_no_more() {
        let mut full = line(&"x".repeat(CAPACITY + 10), 0);
        assert_eq!(full.text().len(), CAPACITY);
        assert!(!full.insert(b'y'));
        assert_eq!(full.text(), "x".repeat(CAPACITY));
    }

    #[test]
    fn erasing_takes_what_it_names() {
        let mut edited = line("set linux-a std", 12);
        let start = edited.word_start();
        assert!(edited.erase_back_to(start));
        assert_eq!(edited, line("set std", 4));
        assert!(edited.erase_at());
        assert_eq!(edited, line("set td", 4));
        assert!(edited.erase_to_end() && !edited.erase_to_end() && !edited.erase_at());
        assert_eq!(edited, line("set ", 4));
        assert!(edited.erase_back_to(0) && !edited.erase_back_to(0));
        assert_eq!(edited, Line::new());
    }
}
