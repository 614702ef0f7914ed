//! How much work is done at once.

use crate::chain::{Chain, MAX_CHAIN};

/// What may still be done before the guest runs again. What is left over then is done in an exit of its own.
///
/// A piece of work is to take no more than 20,000 instructions, and does for drivers as they are. Chains of the most buffers, of a
/// byte each, take up to five times as many (`docs/sharing.md`): a step is the same wherever its buffer lies. A piece is made of
/// bytes that are copied, and of work that takes the same whatever their number is, counted in [steps](Self::STEPS) of some
/// [54 instructions](Self::STEP): to read a descriptor, judge it, and begin a copy at its buffer is one; to find a chain, read what
/// it asks for and give it back are [three](Self::CHAIN).
/// A driver whose chains are of many short buffers gets fewer of them done at once. Nothing is begun for which there may not be
/// enough left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    bytes: u32,
    steps: u32,
    /// Chains that were worked at.
    chains: u32,
}

impl Budget {
    /// Bytes that are copied in one piece of work at the most; a single frame may be longer.
    pub const BYTES: u32 = 32 << 10;
    /// Steps of one piece of work: two of the longest chains, of which one is copied to the other.
    pub const STEPS: u32 = 2 * Self::LONGEST;
    /// Steps of a chain, besides those of its descriptors.
    pub const CHAIN: u32 = 3;
    /// Instructions that a step stands for.
    pub const STEP: u32 = 54;
    /// Instructions by which 64 bytes are copied.
    pub const COPY: u32 = 9;
    /// Bytes of the one frame that is longer than [a piece's](Self::BYTES) which a step pays for: half of what is more is free.
    pub const BYTES_PER_STEP: u32 = 2 * (Self::STEP / Self::COPY * 64);
    /// Bytes that are summed up by as many instructions as a step is: four by three.
    pub const SUMMED_PER_STEP: u32 = Self::STEP / 3 * 4;
    /// Steps of the longest chain.
    const LONGEST: u32 = Self::CHAIN + MAX_CHAIN as u32;

    /// What one piece of work may take.
    pub const fn new() -> Self {
        Self { bytes: Self::BYTES, steps: Self::STEPS, chains: 0 }
    }

    /// Whether there is nothing left of it: no byte, or not enough for the longest chain.
    #[inline]
    pub const fn is_spent(&self) -> bool {
        self.bytes == 0 || self.steps < Self::LONGEST
    }

    /// Bytes that may still be copied.
    #[inline]
    pub const fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Descriptors that a further chain may have; none: there can be no further one.
    #[inline]
    pub const fn descriptors(&self) -> usize {
        self.steps.saturating_sub(Self::CHAIN) as usize
    }

    /// Whether no more than one chain was worked at, so that a further piece of work could not do more for the next.
    #[inline]
    pub const fn is_fresh(&self) -> bool {
        self.chains <= 1
    }

    /// Takes note of a chain that was read, for the first time or [again](crate::Queue::again).
    #[inline]
    pub fn chain(&mut self, chain: &Chain) {
        self.chains = self.chains.saturating_add(1);
        self.steps = self.steps.saturating_sub(Self::CHAIN.saturating_add(chain.descriptors() as u32));
    }

    /// Takes note of a chain of one buffer.
    #[inline]
    pub const fn only(&mut self) {
        self.chains = self.chains.saturating_add(1);
        self.steps = self.steps.saturating_sub(Self::CHAIN + 1);
    }

    /// Takes note of two chains of one buffer, of which so many bytes were copied from the one to the other.
    #[inline]
    pub const fn passed(&mut self, bytes: u32) {
        // There are no more than steps.
        self.chains = self.chains.wrapping_add(2);
        self.steps = self.steps.saturating_sub(2 * (Self::CHAIN + 1));
        self.copied(bytes);
    }

    /// Takes note of something that is no chain, and is as much work as one without its descriptors: a message that was judged.
    #[inline]
    pub const fn message(&mut self) {
        self.steps = self.steps.saturating_sub(Self::CHAIN);
    }

    /// Instructions that may still be spent on what is neither a chain nor a copy.
    #[inline]
    pub const fn instructions(&self) -> u32 {
        self.steps.saturating_mul(Self::STEP)
    }

    /// Takes note of other work, by about how many instructions it takes.
    #[inline]
    pub const fn spend(&mut self, instructions: u32) {
        self.steps = self.steps.saturating_sub(instructions.div_ceil(Self::STEP));
    }

    /// Takes note of bytes of which a sum was made.
    #[inline]
    pub const fn summed(&mut self, bytes: u32) {
        self.steps = self.steps.saturating_sub(bytes.div_ceil(Self::SUMMED_PER_STEP));
    }

    /// Takes note of bytes that were copied, or are about to be. What is more than there is left is paid for by steps.
    #[inline]
    pub const fn copied(&mut self, bytes: u32) {
        match self.bytes.checked_sub(bytes) {
            Some(left) => self.bytes = left,
            None => {
                let more = bytes.saturating_sub(self.bytes).div_ceil(Self::BYTES_PER_STEP);
                self.steps = self.steps.saturating_sub(more);
                self.bytes = 0;
            }
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_takes_no_more_than_twenty_thousand_instructions() {
        let instructions = Budget::STEPS * Budget::STEP + Budget::BYTES / 64 * Budget::COPY;
        assert!(instructions <= 19_000, "{instructions}, and some to enter and leave");
    }
}
