//! Random words for the device tree that a VM starts with.

use portcullis_bundle::guest_tree::RNG_SEED_WORDS;

/// Words of a full seed: the first one is for the kernel's place, the others are for its random number generator.
const WORDS: usize = 1 + RNG_SEED_WORDS;

/// What has been drawn for one start of a VM. It is gathered while the images are put in place, a word with each piece, and what is
/// missing then in pieces of its own: so a slow source delays nobody, and one that has nothing ends in a tree without seeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seed {
    words: [u64; WORDS],
    count: usize,
}

impl Seed {
    /// Draws the next word by `draw`, which says whether it got one, unless all are there. Whether it is worth to go on: it got
    /// one, and some are missing.
    pub fn gather(&mut self, draw: impl FnOnce(&mut [u64]) -> bool) -> bool {
        let drawn = self.words.get_mut(self.count..=self.count).is_some_and(draw);
        self.count = self.count.wrapping_add(drawn.into());
        drawn && self.count < WORDS
    }

    /// `/chosen/kaslr-seed`, if it has been drawn.
    pub fn kaslr(&self) -> Option<u64> {
        self.words.first().copied().filter(|_| self.count >= 1)
    }

    /// `/chosen/rng-seed`, if all of it has been drawn.
    pub fn rng(&self) -> Option<&[u64]> {
        self.words.get(1..).filter(|_| self.count >= WORDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_drawn_once() {
        let mut seed = Seed::default();
        let mut next = 0;
        for call in 1..=8 {
            let goes_on = seed.gather(|word| {
                next += 1;
                word.copy_from_slice(&[next]);
                true
            });
            assert_eq!(goes_on, call < 5);
        }
        assert_eq!((next, seed.kaslr(), seed.rng()), (5, Some(1), Some(&[2, 3, 4, 5][..])));
    }

    #[test]
    fn what_was_not_drawn_is_not_told() {
        let mut seed = Seed::default();
        let goes_on = seed.gather(|word| {
            // A source may leave something behind that is no random word.
            word.copy_from_slice(&[7]);
            false
        });
        assert!(!goes_on);
        assert_eq!((seed.kaslr(), seed.rng()), (None, None));
        for word in 1..=4 {
            seed.gather(|place| {
                place.copy_from_slice(&[word]);
                true
            });
        }
        assert_eq!((seed.kaslr(), seed.rng()), (Some(1), None));
    }
}
