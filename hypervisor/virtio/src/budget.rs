//! How much work is done at once.

/// What may still be done before the guest runs again. What is left over then is done in an exit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    bytes: u32,
    chains: u32,
}

impl Budget {
    /// Bytes that are copied in one piece of work at the most; a single frame may be longer.
    pub const BYTES: u32 = 32 << 10;
    /// Chains that are taken in one piece of work at the most.
    pub const CHAINS: u32 = 64;

    /// What one piece of work may take.
    pub const fn new() -> Self {
        Self { bytes: Self::BYTES, chains: Self::CHAINS }
    }

    /// Whether there is nothing left of it.
    #[inline]
    pub const fn is_spent(&self) -> bool {
        self.bytes == 0 || self.chains == 0
    }

    /// Bytes that may still be copied.
    #[inline]
    pub const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Takes note of a chain.
    #[inline]
    pub const fn chain(&mut self) {
        self.chains = self.chains.saturating_sub(1);
    }

    /// Takes note of bytes that were copied.
    #[inline]
    pub const fn copied(&mut self, bytes: u32) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}
