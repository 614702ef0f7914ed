//! How many columns of a terminal text takes, at the most: no row of a guest's text may begin without its name.
//!
//! An upper bound, and no table of widths. Terminals differ in what they show in one column and what in two (East Asian
//! Ambiguous, emoji), and show what is newer than their own table as they like; none takes more than two for a character.

/// Columns of the narrowest terminal on which no row begins without a name.
pub const COLUMNS: usize = 80;
/// Columns in use. Terminals differ in where the cursor is behind the last one.
pub const USED: usize = COLUMNS - 1;
/// From one tab stop to the next.
pub const TAB: usize = 8;

/// The length of the longest piece at the start of `text`, of whole characters and without a tab, that takes no more than
/// `most` columns, and how many it takes.
pub fn fitting(text: &[u8], most: usize) -> (usize, usize) {
    let mut columns = 0_usize;
    for (at, &byte) in text.iter().enumerate() {
        let more = match byte {
            b'\t' => return (at, columns),
            0x80..=0xbf => 0,
            0xc0.. => 2,
            _ => 1,
        };
        if columns.saturating_add(more) > most {
            return (at, columns);
        }
        columns = columns.saturating_add(more);
    }
    (text.len(), columns)
}

/// The length of the first row of `text`, a line of the hypervisor's, if a row has room for `most` columns: up to a space, if
/// there is one not too far from the end.
pub fn row(text: &str, most: usize) -> usize {
    let (length, _) = fitting(text.as_bytes(), most);
    if length == text.len() {
        return length;
    }
    let space = text.get(..length).and_then(|row| row.rfind(' ')).map(|at| at.saturating_add(1));
    space.filter(|&at| at >= most / 2).unwrap_or(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_characters_fit() {
        assert_eq!(fitting(b"abc", 5), (3, 3));
        assert_eq!(fitting(b"abcdef", 5), (5, 5));
        assert_eq!(fitting("ab\u{e9}c".as_bytes(), 3), (2, 2), "it may take two");
        assert_eq!(fitting("\u{4f60}\u{1f600}x".as_bytes(), 4), (7, 4));
        assert_eq!(fitting(b"ab\tc", 5), (2, 2));
        assert_eq!(fitting("\u{e9}".as_bytes(), 1), (0, 0));
    }

    #[test]
    fn rows_end_behind_a_word() {
        assert_eq!(row("one two three", 20), 13);
        assert_eq!(row("one two three", 9), 8);
        assert_eq!(row("a bcdefghijklmnop", 10), 10, "the space is too far away");
    }
}
