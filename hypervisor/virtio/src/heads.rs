//! Which chains a device has.

use crate::layout::MAX_SIZE;

/// Words of 64 bits.
pub const WORDS: usize = MAX_SIZE as usize / 64;

/// A set of descriptors' numbers, below [`MAX_SIZE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads(pub(crate) [u64; WORDS]);

impl Heads {
    /// None.
    pub const NONE: Self = Self([0; WORDS]);

    /// Adds a number. False: it was there, or cannot be.
    #[inline]
    pub fn insert(&mut self, head: u16) -> bool {
        let bit = 1 << (head % 64);
        let Some(word) = self.0.get_mut(usize::from(head / 64)) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a number is in it.
    #[inline]
    pub fn contains(&self, head: u16) -> bool {
        self.0.get(usize::from(head / 64)).is_some_and(|word| word >> (head % 64) & 1 != 0)
    }

    /// Takes a number away.
    #[inline]
    pub fn remove(&mut self, head: u16) {
        if let Some(word) = self.0.get_mut(usize::from(head / 64)) {
            *word &= !(1 << (head % 64));
        }
    }

    /// The numbers, from the lowest up.
    pub fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        (0_u16..).step_by(64).zip(self.0).flat_map(|(first, word)| {
            let mut left = word;
            core::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as u16)?;
                left &= left.wrapping_sub(1);
                Some(first.wrapping_add(bit))
            })
        })
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        self.0.iter().map(|word| word.count_ones() as u16).sum()
    }

    /// Whether every number is below `size`.
    pub fn are_below(&self, size: u16) -> bool {
        self.iter().all(|head| head < size)
    }
}
