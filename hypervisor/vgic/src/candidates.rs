//! What is next: the interrupts that wait for a list register, by priority.

use super::slots::Bits;
use super::spis::{self, BANKS, Spis};
use super::vcpu::Private;

/// Interrupts that wait for a list register of one vCPU.
pub struct Candidates {
    private: u32,
    spis: [u32; BANKS],
    /// Banks of SPIs that have any, a bit each.
    banks: u32,
}

impl Candidates {
    /// Those of vCPU `vcpu`, as far as `control` (GICD_CTLR) lets them through: private ones, and SPIs of these `banks`, a bit
    /// each.
    #[inline]
    pub fn new(vcpu: usize, state: &Private, spis: &Spis, control: u32, banks: u32) -> Self {
        let mut all = Self { private: state.bank.deliverable(control), spis: [0; BANKS], banks: 0 };
        for index in Bits(banks).map(|index| index % BANKS) {
            // Of most banks nothing is pending, so that nothing else of them counts.
            if spis.banks[index].pending() != 0 {
                let word = spis.deliverable(vcpu, index, control);
                all.spis[index] = word;
                all.banks |= u32::from(word != 0) << index;
            }
        }
        all
    }

    /// Whether there is none.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.private == 0 && self.banks == 0
    }

    /// Removes the one, if it is the only one. Returns priority and INTID.
    #[inline]
    pub fn take_only(&mut self, spis: &Spis) -> Option<(u8, u32)> {
        let index = self.banks.trailing_zeros() as usize % BANKS;
        let word = self.spis[index];
        if self.private != 0 || !self.banks.is_power_of_two() || !word.is_power_of_two() {
            return None;
        }
        (self.banks, self.spis[index]) = (0, 0);
        let n = word.trailing_zeros();
        Some((spis.banks[index].priority(n), spis::intid(index, n)))
    }

    /// Removes the one with the highest priority, then lowest INTID. Returns priority and INTID.
    pub fn take_most_urgent(&mut self, state: &Private, spis: &Spis) -> Option<(u8, u32)> {
        let mut best = state.bank.most_urgent(self.private);
        let mut left = self.banks;
        while left != 0 {
            let index = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            let (Some(bank), Some(word)) = (spis.banks.get(index), self.spis.get(index)) else { continue };
            if let Some((priority, n)) = bank.most_urgent(*word)
                && best.is_none_or(|(least, _)| priority < least)
            {
                best = Some((priority, spis::intid(index, n)));
            }
        }
        let (_, intid) = best?;
        match spis::position(intid) {
            None => self.private &= !1u32.wrapping_shl(intid),
            Some((index, bit)) => {
                if let Some(word) = self.spis.get_mut(index) {
                    *word &= !bit;
                    self.banks &= !(u32::from(*word == 0) << (index % BANKS));
                }
            }
        }
        best
    }
}
