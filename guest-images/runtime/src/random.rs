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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence() {
        let (mut a, mut b, mut c) = (Random::new(1), Random::new(1), Random::new(2));
        assert!((0..100).all(|_| a.next() == b.next()));
        assert_ne!(a.next(), c.next());
    }

    #[test]
    fn every_bit_moves() {
        let mut random = Random::new(0);
        let (mut set, mut clear) = (0, 0);
        for _ in 0..100 {
            let word = random.next();
            set |= word;
            clear |= !word;
        }
        assert_eq!((set, clear), (u64::MAX, u64::MAX));
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let mut random = Random::new(3);
        let mut seen = [false; 7];
        for _ in 0..500 {
            seen[random.below(7) as usize] = true;
        }
        assert_eq!(seen, [true; 7]);
    }
}
