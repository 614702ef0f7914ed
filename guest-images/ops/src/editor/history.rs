//! The lines entered earlier.

use heapless::{Deque, String};

use super::line::{CAPACITY, Line};

/// Lines that are remembered.
pub const LINES: usize = 32;

/// The newest lines, and where among them the person is.
#[derive(Debug, Default)]
pub struct History {
    lines: Deque<String<CAPACITY>, LINES>,
    /// How many lines back from the newest; 0 is the line being written.
    back: usize,
    /// The line being written, while an older one is shown.
    draft: String<CAPACITY>,
}

impl History {
    /// No lines.
    pub const fn new() -> Self {
        Self { lines: Deque::new(), back: 0, draft: String::new() }
    }

    /// Remembers a line that was entered, unless it is blank or the newest already.
    pub fn remember(&mut self, line: &str) {
        self.back = 0;
        if line.trim().is_empty() || self.lines.back().is_some_and(|newest| newest == line) {
            return;
        }
        if self.lines.is_full() {
            self.lines.pop_front();
        }
        let mut copy = String::new();
        if copy.push_str(line).is_ok() {
            let _ = self.lines.push_back(copy);
        }
    }

    /// Shows the next older line. False if there is none.
    pub fn older(&mut self, line: &mut Line) -> bool {
        let Some(index) = self.lines.len().checked_sub(self.back + 1) else { return false };
        if self.back == 0 {
            self.draft.clear();
            let _ = self.draft.push_str(line.text());
        }
        self.back += 1;
        if let Some(text) = self.lines.get(index) {
            line.replace(text);
        }
        true
    }

    /// Shows the next newer line, in the end the one that was being written. False if that is shown already.
    pub fn newer(&mut self, line: &mut Line) -> bool {
        let Some(back) = self.back.checked_sub(1) else { return false };
        self.back = back;
        let index = self.lines.len().wrapping_sub(back);
        line.replace(if back == 0 { &self.draft } else { self.lines.get(index).map_or("", |text| text) });
        true
    }

    /// Forgets that an older line was shown.
    pub fn leave(&mut self) {
        self.back = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draft_comes_back_behind_the_newest() {
        let mut history = History::new();
        for entered in ["one", "two", "two", "  "] {
            history.remember(entered);
        }
        let mut line = Line::new();
        line.replace("draft");
        let mut seen = Vec::new();
        while history.older(&mut line) {
            seen.push(line.text().to_owned());
        }
        while history.newer(&mut line) {
            seen.push(line.text().to_owned());
        }
        assert_eq!(seen, ["two", "one", "two", "draft"]);
    }

    #[test]
    fn the_oldest_line_goes_first() {
        let mut history = History::new();
        for number in 0..LINES + 5 {
            history.remember(&number.to_string());
        }
        let mut line = Line::new();
        let mut count = 0;
        while history.older(&mut line) {
            count += 1;
        }
        assert_eq!((count, line.text()), (LINES, "5"));
    }
}
