//! A small deterministic generator (xorshift64*, Marsaglia 2003, Vigna 2016).

/// A sequence that its seed determines.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        // The state must not be zero.
        Self(if seed == 0 { u64::MAX } else { seed })
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `bound`, which is not zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 32) % bound
    }

    /// One of several; the first of none is the default.
    pub fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let index = self.below(choices.len().max(1) as u64) as usize;
        choices.get(index).copied().unwrap_or_default()
    }
}
