//! What a VM has sent and the console has not taken yet.

/// Characters that a [`LineBuffer`] holds; longer lines are broken.
pub const CAPACITY: usize = 160;

/// Ticks that an unfinished line stands before it is shown: half a second, in which a prompt is still in time. Whoever is
/// attached sees every character at once. A fifth of it was too little where a host has more vCPUs than cores: a guest that
/// got a sliver of each tick, and no character out in any, had its line broken.
pub(super) const STANDING_TICKS: u8 = 25;

/// The unfinished line of a VM, and finished ones that the console had no room for; the bytes as the guest sent them.
#[derive(Clone, Debug)]
pub struct LineBuffer {
    bytes: [u8; CAPACITY],
    len: usize,
    newlines: usize,
    /// Ticks since the last character.
    quiet: u8,
}

impl LineBuffer {
    /// An empty buffer.
    pub const fn new() -> Self {
        Self { bytes: [0; CAPACITY], len: 0, newlines: 0, quiet: 0 }
    }

    /// Takes characters from `source` while there is room; true if the console is to be given the buffer now: it holds a
    /// finished line, or is full, or the VM is attached and it holds anything. `source` is not asked when the buffer is
    /// full, so that nothing is lost.
    #[inline]
    pub fn fill(&mut self, mut source: impl FnMut() -> Option<u8>, attached: bool) -> bool {
        while let Some(cell) = self.bytes.get_mut(self.len) {
            let Some(byte) = source() else { break };
            *cell = byte;
            self.len = self.len.wrapping_add(1);
            self.newlines = self.newlines.wrapping_add(usize::from(byte == b'\n'));
            self.quiet = 0;
        }
        self.newlines != 0 || self.is_full() || attached && self.len != 0
    }

    /// Marks the passing of time, 1/50 s; true if an unfinished line has stood long enough and should be shown.
    pub fn tick(&mut self) -> bool {
        self.quiet = self.quiet.saturating_add(1);
        self.quiet > STANDING_TICKS && self.len != 0
    }

    /// Whether nothing waits: no tick is needed for this VM.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the next character has to wait in the UART.
    pub const fn is_full(&self) -> bool {
        self.len >= CAPACITY
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Length of the first finished line without its newline.
    pub(super) fn first_line(&self) -> Option<usize> {
        if self.newlines == 0 { None } else { self.bytes().iter().position(|&byte| byte == b'\n') }
    }

    /// Forgets the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.len);
        if count == self.len {
            (self.len, self.newlines) = (0, 0);
            return;
        }
        let gone = self.bytes().iter().take(count).filter(|&&byte| byte == b'\n').count();
        self.newlines = self.newlines.saturating_sub(gone);
        self.bytes.copy_within(count..self.len, 0);
        self.len = self.len.saturating_sub(count);
    }
}

impl Default for LineBuffer {
    fn default() -> Self {
        Self::new()
    }
}
