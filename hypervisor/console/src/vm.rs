//! What the console keeps of one VM.

use portcullis_abi::bundle::NAME_MAX;

use super::escape::Terminal;
use super::tail::Tail;

/// A VM's name.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    bytes: [u8; NAME_MAX],
    len: usize,
}

impl Name {
    /// The name `name`; what is longer than [`NAME_MAX`] bytes is cut, what is not printable ASCII becomes `?`.
    pub fn new(name: &str) -> Self {
        let mut bytes = [0; NAME_MAX];
        for (cell, byte) in bytes.iter_mut().zip(name.bytes()) {
            *cell = if byte.is_ascii_graphic() { byte } else { b'?' };
        }
        Self { bytes, len: name.len().min(NAME_MAX) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

/// A VM as the console knows it.
#[derive(Clone, Copy, Debug)]
pub struct Guest {
    pub name: Name,
    /// Where the guest is in its output.
    pub terminal: Terminal,
    /// Its unfinished line.
    pub tail: Tail,
}

impl Guest {
    /// A VM without a name, all zeros.
    pub const fn new() -> Self {
        let name = Name { bytes: [0; NAME_MAX], len: 0 };
        Self { name, terminal: Terminal::new(), tail: Tail::new() }
    }

    /// Takes a byte that went out as it is.
    pub fn follow(&mut self, byte: u8) {
        let Self { terminal, tail, .. } = self;
        terminal.feed(byte, |event| tail.apply(event));
    }
}
