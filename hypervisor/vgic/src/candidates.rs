//! What is next: the interrupts that wait for a list register, by priority.

use super::spis::{self, BANKS, Spis};
use super::vcpu::Private;

/// Interrupts that wait for a list register of one vCPU.
pub struct Candidates {
    private: u32,
    spis: [u32; BANKS],
}

impl Candidates {
    /// Those of vCPU `vcpu`, as far as `control` (GICD_CTLR) lets them through.
    pub fn new(vcpu: usize, state: &Private, spis: &Spis, control: u32) -> Self {
        let mut words = [0; BANKS];
        for (index, word) in words.iter_mut().enumerate() {
            *word = spis.deliverable(vcpu, index, control);
        }
        Self { private: state.bank.deliverable(control), spis: words }
    }

    /// Removes the one with the highest priority, then lowest INTID. Returns priority and INTID.
    pub fn take_most_urgent(&mut self, state: &Private, spis: &Spis) -> Option<(u8, u32)> {
        let mut best = state.bank.most_urgent(self.private);
        for (index, bank) in (0..BANKS).zip(&spis.banks) {
            let word = self.spis[index % BANKS];
            if let Some((priority, n)) = bank.most_urgent(word)
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
                }
            }
        }
        best
    }
}
