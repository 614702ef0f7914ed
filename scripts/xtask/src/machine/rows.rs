//! Puts lines together again that the hypervisor has broken for a narrow terminal.
//!
//! It breaks a line of a VM's, or of its own, so that no row of the terminal begins without a name. The rows that go on with
//! a line begin with `[NAME]> ` or `portcullis> `, and follow each other at once.

/// What a row of the hypervisor's begins with that goes on with a line.
const OWN: &str = "portcullis> ";
/// What stands behind the name of a VM in such a row.
const BEHIND: &str = "]> ";
/// Longest name of a VM.
const NAME_MAX: usize = 16;

/// What a row goes on with; none if it begins a line.
pub fn continuation(row: &str) -> Option<&str> {
    row.strip_prefix(OWN).or_else(|| {
        let (name, rest) = row.strip_prefix('[')?.split_once(BEHIND)?;
        is_name(name).then_some(rest)
    })
}

fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b']')
}

/// Takes the breaks out of a console's output, as it comes.
#[derive(Debug, Default)]
pub struct Joined {
    /// The end of a row, and what may be the start of one that goes on.
    held: Vec<u8>,
}

impl Joined {
    /// What is to be shown after these bytes have come.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut shown = Vec::new();
        for &byte in bytes {
            self.held.push(byte);
            match self.judge() {
                Judgement::Open => {}
                Judgement::Break => self.held.clear(),
                Judgement::Text => {
                    self.held.pop();
                    shown.append(&mut self.held);
                    self.held.push(byte);
                    if !matches!(self.judge(), Judgement::Open) {
                        shown.append(&mut self.held);
                    }
                }
            }
        }
        shown
    }

    /// What is left to show when no more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn judge(&self) -> Judgement {
        const END: &[u8] = b"\r\n";
        let Some(row) = self.held.strip_prefix(END) else {
            return if END.starts_with(&self.held) { Judgement::Open } else { Judgement::Text };
        };
        if row.is_empty() || OWN.as_bytes().starts_with(row) && row.len() < OWN.len() {
            return Judgement::Open;
        }
        let row = String::from_utf8_lossy(row);
        if continuation(&row) == Some("") {
            return Judgement::Break;
        }
        let open = row.strip_prefix('[').is_some_and(|rest| match rest.split_once(']') {
            None => rest.is_empty() || is_name(rest),
            Some((name, behind)) => is_name(name) && BEHIND[1..].starts_with(behind),
        });
        if open { Judgement::Open } else { Judgement::Text }
    }
}

/// What is held.
enum Judgement {
    /// It may become a break.
    Open,
    /// It is one.
    Break,
    /// It is none.
    Text,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_go_on_are_told_from_lines() {
        assert_eq!(continuation("[a]> rest"), Some("rest"));
        assert_eq!(continuation("portcullis> rest"), Some("rest"));
        for line in ["[a] > x", "[a] [b]> x", "portcullis: a> x", "[]> x", "[seventeen-letters]> x", "x"] {
            assert_eq!(continuation(line), None, "{line}");
        }
    }

    #[test]
    fn breaks_are_taken_out_however_the_bytes_come() {
        let rows = "[a] one \r\n[a]> two\r\n[a] three\r\n\r\nportcullis: x \r\nportcullis> y\r\n[b\r\n[b]x\r\r\n[b]> z\r\nport\r\n";
        let lines = "[a] one two\r\n[a] three\r\n\r\nportcullis: x y\r\n[b\r\n[b]x\rz\r\nport\r\n";
        for size in 1..rows.len() {
            let mut joined = Joined::default();
            let mut shown: Vec<u8> = rows.as_bytes().chunks(size).flat_map(|piece| joined.push(piece)).collect();
            shown.extend(joined.finish());
            assert_eq!(String::from_utf8_lossy(&shown), lines, "{size}");
        }
    }
}
