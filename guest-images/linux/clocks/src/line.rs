//! The line that is printed: `KEY=VALUE KEY=VALUE`.

/// A line, as long as five keys and values can be.
#[derive(Clone, Copy)]
pub struct Line {
    text: [u8; 256],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self { text: [0; 256], length: 0 }
    }
}

impl Line {
    /// Adds a key with its value. What does not fit is left out.
    pub fn value(&mut self, key: &str, value: u64) {
        if self.length != 0 {
            self.push(b' ');
        }
        key.bytes().chain([b'=']).for_each(|byte| self.push(byte));
        let mut unit = 1;
        while value / unit >= 10 {
            unit *= 10;
        }
        while unit != 0 {
            self.push(b'0' + (value / unit % 10) as u8);
            unit /= 10;
        }
    }

    /// The line with its end.
    pub fn end(&mut self) -> &[u8] {
        self.push(b'\n');
        self.text.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}
