//! Cuts a console's bytes into lines.

/// Longest line that is kept together. A guest that never ends a line does not fill this machine's memory.
const LONGEST: usize = 4096;

/// What the watcher of a console wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Continue,
    /// End the machine.
    Stop,
}

/// Collects bytes until a line is complete.
#[derive(Debug, Default)]
pub struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Adds bytes and hands every line that they complete to `each`, without `\n` and `\r`, until it wants no more.
    pub fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str) -> Next) -> Next {
        for byte in bytes {
            match byte {
                b'\n' => {
                    if self.finish(&mut each) == Next::Stop {
                        return Next::Stop;
                    }
                }
                b'\r' => {}
                _ => {
                    self.partial.push(*byte);
                    if self.partial.len() == LONGEST && self.finish(&mut each) == Next::Stop {
                        return Next::Stop;
                    }
                }
            }
        }
        Next::Continue
    }

    /// Hands what is left over to `each`, if there is something.
    pub fn finish(&mut self, mut each: impl FnMut(&str) -> Next) -> Next {
        if self.partial.is_empty() {
            return Next::Continue;
        }
        let next = each(&String::from_utf8_lossy(&self.partial));
        self.partial.clear();
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.push(piece, |line| {
                found.push(line.to_owned());
                Next::Continue
            });
        }
        lines.finish(|line| {
            found.push(line.to_owned());
            Next::Continue
        });
        found
    }

    #[test]
    fn lines_come_in_pieces() {
        assert_eq!(cut(&[b"a", b"b\r", b"\ncd\n", b"\n", b"e"]), ["ab", "cd", "e"]);
        assert_eq!(cut(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let long = vec![b'x'; 3 * LONGEST + 1];
        assert_eq!(cut(&[&long]).iter().map(String::len).collect::<Vec<_>>(), [LONGEST, LONGEST, LONGEST, 1]);
    }

    #[test]
    fn stopping_stops() {
        let mut count = 0;
        let next = Lines::default().push(b"a\nb\nc\n", |_| {
            count += 1;
            if count == 2 { Next::Stop } else { Next::Continue }
        });
        assert_eq!((next, count), (Next::Stop, 2));
    }
}
