//! What a machine says, line by line, with nothing made of it.

use crate::machine::{Next, Watcher};

/// Its lines.
#[derive(Debug, Default)]
pub struct Said(pub Vec<String>);

impl Watcher for Said {
    fn bytes(&mut self, _: &[u8]) {}

    fn line(&mut self, line: &str) -> Next {
        self.0.push(line.to_owned());
        Next::Continue
    }

    fn longer(&mut self, line: &str) -> Next {
        self.0.pop();
        self.line(line)
    }
}
