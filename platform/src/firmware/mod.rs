//! The firmware at EL3: what it offers, found out once at boot by asking it.
//!
//! It is only asked where the device tree names PSCI by SMC: elsewhere an SMC hangs or faults. Everything that it answers
//! is taken with care, as it decides what guests are offered.

mod answer;
pub mod clock;
mod failure;
pub mod ptp;
mod smc;
#[cfg(test)]
mod tests;
pub mod trng;

use core::fmt;

use portcullis_abi::function::{PSCI_FEATURES, PSCI_VERSION, SMCCC_VERSION};

use self::answer::{Version, is_error};
pub use self::smc::Smc;
use crate::facts::{Psci, PsciMethod, PsciVersion};
use ptp::Ptp;
use trng::Trng;

/// Whoever answers our SMCs, and the counter beside it.
pub trait El3 {
    /// Makes an SMC with x0 to x7; returns them as they come back.
    fn call(&self, x: [u64; 8]) -> [u64; 8];
    /// The physical counter now.
    fn count(&self) -> u64;
}

/// What the firmware offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Findings {
    /// It was not asked: the device tree has no PSCI 0.2 or later by SMC.
    NotAsked,
    /// It does not speak SMCCC 1.1 or later, the first version that other services build on; with the version of PSCI.
    PsciOnly(Option<Version>),
    /// It takes calls by SMCCC 1.1 or later.
    Full {
        /// Version of PSCI.
        psci: Version,
        /// Version of SMCCC.
        smccc: Version,
        /// Its random numbers.
        trng: Trng,
        /// Its time of day.
        ptp: Ptp,
    },
}

impl Findings {
    /// Asks the firmware of a board whose device tree says this about PSCI: 12 calls at the most.
    pub fn gather(psci: Option<Psci>, el3: &impl El3) -> Self {
        match psci {
            // From EL2 only an SMC leads to firmware: our HVC would come to ourselves. PSCI 0.1 has no PSCI_VERSION.
            Some(psci) if psci.method == PsciMethod::Smc && psci.version >= PsciVersion::V0_2 => Self::ask(el3),
            _ => Self::NotAsked,
        }
    }

    fn ask(el3: &impl El3) -> Self {
        let one = |function: u32, x1: u64| el3.call([u64::from(function), x1, 0, 0, 0, 0, 0, 0])[0];
        // DEN0022 section 5.3, and DEN0028 section 7.2: SMCCC_VERSION exists if PSCI_FEATURES says so.
        let Some(psci) = Version::of(one(PSCI_VERSION, 0)).filter(|version| *version >= Version::new(0, 2)) else {
            return Self::PsciOnly(None);
        };
        if psci < Version::new(1, 0) || is_error(one(PSCI_FEATURES, u64::from(SMCCC_VERSION))) {
            return Self::PsciOnly(Some(psci));
        }
        match Version::of(one(SMCCC_VERSION, 0)) {
            Some(smccc) if smccc >= Version::new(1, 1) && smccc.major() == 1 => {
                Self::Full { psci, smccc, trng: Trng::ask(el3), ptp: Ptp::ask(el3) }
            }
            _ => Self::PsciOnly(Some(psci)),
        }
    }

    /// Whether results of calls that are forwarded to it may stand in x4 to x7 too: SMCCC 1.2.
    pub fn is_wide(&self) -> bool {
        matches!(self, Self::Full { smccc, .. } if *smccc >= Version::new(1, 2))
    }

    /// What there is to say, a line each.
    pub fn report(&self) {
        let say = |what: &str, found: &dyn fmt::Display| log::info!("firmware{what}: {found}");
        say("", self);
        if let Self::Full { trng, ptp, .. } = self {
            say(" TRNG", trng);
            say(" PTP", ptp);
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => write!(f, "not asked, no PSCI 0.2 by SMC"),
            Self::PsciOnly(None) => write!(f, "it does not answer PSCI_VERSION"),
            Self::PsciOnly(Some(psci)) => write!(f, "PSCI {psci}, no SMCCC 1.1: nothing is forwarded"),
            Self::Full { psci, smccc, .. } => write!(f, "PSCI {psci}, SMCCC {smccc}"),
        }
    }
}
