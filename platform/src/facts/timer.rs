//! The generic timer, from its node (`timer/arm,arch_timer.yaml`).

use core::fmt;

use portcullis_abi::map::{TIMER_PHYSICAL_INTID, TIMER_VIRTUAL_INTID};
use portcullis_board::signal::EL2_TIMER_INTID;

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

/// Why the timers of a board cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerError {
    /// CNTFRQ_EL0 is zero. The device tree tells of so many Hz.
    NoFrequency(Option<u32>),
    /// An interrupt is another one than Arm's boards have (Arm Base System Architecture, "PPI assignments").
    Interrupt {
        /// Whose it is.
        timer: &'static str,
        /// The INTID that the device tree tells of.
        told: u32,
        /// The one that EL2 and its guests use.
        used: u32,
    },
}

impl fmt::Display for TimerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoFrequency(told) => {
                let told = told.map_or("the counter's frequency", |_| "what its device tree tells");
                write!(
                    f,
                    "CNTFRQ_EL0 is 0, so nobody can tell the time; firmware at EL3 has to write {told} there on every core"
                )
            }
            Self::Interrupt { timer, told, used } => {
                write!(f, "the {timer} timer has INTID {told} in the device tree; only {used} can be used")
            }
        }
    }
}

impl core::error::Error for TimerError {}

impl Timer {
    /// Checks that the timers can be used, whose counter has so many Hz by CNTFRQ_EL0. Guests read that themselves, and have the
    /// interrupts in their map.
    ///
    /// # Errors
    ///
    /// [`TimerError`].
    pub fn check(&self, frequency: u64) -> Result<(), TimerError> {
        if frequency == 0 {
            return Err(TimerError::NoFrequency(self.frequency));
        }
        let timers = [
            ("EL1 physical", self.physical, TIMER_PHYSICAL_INTID),
            ("virtual", self.virtual_timer, TIMER_VIRTUAL_INTID),
            ("EL2 physical", self.hypervisor, EL2_TIMER_INTID),
        ];
        match timers.into_iter().find(|(_, told, used)| told != used) {
            Some((timer, told, used)) => Err(TimerError::Interrupt { timer, told, used }),
            None => Ok(()),
        }
    }

    /// What the device tree says of the counter's frequency, if CNTFRQ_EL0 says otherwise: `frequency` Hz.
    pub fn contradicts(&self, frequency: u64) -> Option<u32> {
        self.frequency.filter(|told| u64::from(*told) != frequency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: Timer = Timer { physical: 30, virtual_timer: 27, hypervisor: 26, frequency: None };

    #[test]
    fn a_counter_without_a_frequency_cannot_be_used() {
        assert_eq!(RIGHT.check(1), Ok(()));
        assert_eq!(RIGHT.check(0), Err(TimerError::NoFrequency(None)));
        let told = Timer { frequency: Some(24_000_000), ..RIGHT };
        let error = told.check(0).unwrap_err();
        assert!(error.to_string().contains("what its device tree tells"), "{error}");
        assert_eq!(
            [0, 24_000_000, 62_500_000].map(|hz| told.contradicts(hz)),
            [Some(24_000_000), None, Some(24_000_000)]
        );
        assert_eq!(RIGHT.contradicts(5), None);
    }

    #[test]
    fn each_interrupt_is_the_one_that_is_used() {
        for (timer, name, told, used) in [
            (Timer { physical: 29, ..RIGHT }, "EL1 physical", 29, 30),
            (Timer { virtual_timer: 28, ..RIGHT }, "virtual", 28, 27),
            (Timer { hypervisor: 30, ..RIGHT }, "EL2 physical", 30, 26),
        ] {
            assert_eq!(timer.check(1), Err(TimerError::Interrupt { timer: name, told, used }));
        }
    }
}
