//! The generic timer, from its node (`timer/arm,arch_timer.yaml`).

use super::Timer;
use super::error::FactsError;
use super::interrupt::{Decoder, Interrupts};
use super::properties::strings;

/// What its node says.
#[derive(Clone, Copy)]
pub struct TimerNode<'a> {
    pub interrupts: Interrupts<'a>,
    pub names: &'a [u8],
    pub frequency: Option<u32>,
}

impl TimerNode<'_> {
    /// Picks the interrupts. Without names their order is secure, physical, virtual, hypervisor.
    pub fn finish(&self, decoder: &Decoder) -> Result<Timer, FactsError> {
        let intid = |name: &[u8], default| {
            let index = match self.names {
                [] => Some(default),
                names => strings(names).position(|text| text == name),
            };
            index.and_then(|index| decoder.intid(self.interrupts, index)).ok_or(FactsError::Property {
                node: "timer",
                property: "interrupts",
                expected: "the GIC's interrupts of the secure, physical, virtual and hypervisor timer",
            })
        };
        Ok(Timer {
            physical: intid(b"phys", 1)?,
            virtual_timer: intid(b"virt", 2)?,
            hypervisor: intid(b"hyp-phys", 3)?,
            frequency: self.frequency,
        })
    }
}
