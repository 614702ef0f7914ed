//! The firmware at EL3: what it offers, found out once at boot by asking it.
//!
//! It is only asked where the device tree names PSCI by SMC: elsewhere an SMC hangs or faults. Everything that it answers
//! is taken with care, as it decides what guests are offered.

pub mod clock;
mod el3;
mod failure;
pub mod ptp;
pub mod soc;
#[cfg(test)]
mod tests;
pub mod trng;

use core::fmt;

use smccc::arch::{self, SMCCC_VERSION};
use smccc::psci;

pub use self::el3::{El3, Forwarded, Smc};
use portcullis_board::SocId;

use crate::facts::{Psci, PsciMethod, PsciVersion};
use ptp::Ptp;
use trng::Trng;

/// What the firmware offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Findings {
    /// It was not asked: the device tree has no PSCI 0.2 or later by SMC.
    NotAsked,
    /// It does not speak SMCCC 1.1 or later, the first version that other services build on; with the version of PSCI.
    PsciOnly(Option<psci::Version>),
    /// It takes calls by SMCCC 1.1 or later.
    Full {
        /// Version of PSCI.
        psci: psci::Version,
        /// Version of SMCCC.
        smccc: arch::Version,
        /// Its random numbers.
        trng: Trng,
        /// Its time of day.
        ptp: Ptp,
        /// What it says of the SoC.
        soc: Option<SocId>,
    },
}

impl Findings {
    /// Asks the firmware of a board whose device tree says this about PSCI: 15 calls at the most.
    pub fn gather<E: El3>(psci: Option<Psci>) -> Self {
        match psci {
            // From EL2 only an SMC leads to firmware: our HVC would come to ourselves. PSCI 0.1 has no PSCI_VERSION.
            Some(psci) if psci.method == PsciMethod::Smc && psci.version >= PsciVersion::V0_2 => Self::ask::<E>(),
            _ => Self::NotAsked,
        }
    }

    fn ask<E: El3>() -> Self {
        // DEN0022 section 5.3, and DEN0028 section 7.2: SMCCC_VERSION exists if PSCI_FEATURES says so.
        let psci = psci::version::<E>().ok().filter(|version| *version >= psci::Version { major: 0, minor: 2 });
        let Some(psci) = psci else { return Self::PsciOnly(None) };
        if psci.major == 0 || psci::psci_features::<E>(SMCCC_VERSION).is_err() {
            return Self::PsciOnly(Some(psci));
        }
        match arch::version::<E>() {
            Ok(smccc) if smccc.major == 1 && smccc.minor >= 1 => {
                Self::Full { psci, smccc, trng: Trng::ask::<E>(), ptp: Ptp::ask::<E>(), soc: soc::ask::<E>(smccc) }
            }
            _ => Self::PsciOnly(Some(psci)),
        }
    }

    /// What it says of the SoC.
    pub fn soc(&self) -> Option<SocId> {
        if let Self::Full { soc, .. } = self { *soc } else { None }
    }

    /// Whether results of calls that are forwarded to it may stand in x4 to x17 too: SMCCC 1.2.
    pub fn is_wide(&self) -> bool {
        matches!(self, Self::Full { smccc, .. } if smccc.minor >= 2)
    }

    /// What there is to say, a line each.
    pub fn report(&self) {
        let say = |what: &str, found: &dyn fmt::Display| log::info!("firmware{what}: {found}");
        say("", self);
        if let Self::Full { trng, ptp, .. } = self {
            say(" TRNG", trng);
            say(" PTP", ptp);
        }
        if let Some(SocId { version, revision }) = self.soc() {
            say(" SOC_ID", &format_args!("{version:#010x}, revision {revision:#x}"));
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
