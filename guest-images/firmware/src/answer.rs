//! The answer to a call.

use portcullis_abi::function::{
    ARCH_FEATURES, ARCH_SOC_ID, PSCI_AFFINITY_INFO, PSCI_CPU_ON, PSCI_FEATURES, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,
    PSCI_VERSION, PSCI_VERSION_0_2, PSCI_VERSION_1_0, PSCI_VERSION_1_1, SMCCC_VERSION, SMCCC_VERSION_1_1,
};
use portcullis_abi::result::SMCCC_INVALID_PARAMETER;

use crate::cores::{AFFINITY_INFO_64, CPU_ON_64, Cores, STARTED};
use crate::mode::{Mode, Setting};
use crate::random::Entropy;
use crate::reply::{Answer, Now, supported};
use crate::{echo, garbage, ptp, workarounds};

/// The version that `SMCCC_VERSION` reports: 1.2.
pub const SMCCC_VERSION_1_2: u64 = 0x1_0002;

/// The SoC's version, as `SMCCC_ARCH_SOC_ID` tells it: Arm's, number 0x102.
pub const SOC_VERSION: u32 = 0x043b_0102;
/// Its revision.
pub const SOC_REVISION: u32 = 3;

/// What the firmware remembers from call to call.
#[derive(Clone, Debug)]
pub struct State {
    setting: Setting,
    cores: Cores,
    entropy: Entropy,
    /// Calls that were answered with garbage.
    garbage: u64,
}

impl State {
    /// How the firmware behaves.
    pub const fn mode(&self) -> Mode {
        self.setting.mode
    }

    /// A firmware that has not been called yet, of a machine with `cores` cores, 1 to [`crate::cores::MOST`].
    pub const fn new(setting: Setting, cores: usize) -> Self {
        Self { setting, cores: Cores::new(cores), entropy: Entropy::new(), garbage: 0 }
    }
}

/// The answer to a call with `x`, x0 to x7 of the caller. The function identifier is in w0.
pub fn answer(state: &mut State, now: Now, x: [u64; 8]) -> Answer {
    let function = x[0] as u32;
    match function {
        PSCI_SYSTEM_OFF => return Answer::PowerOff,
        PSCI_SYSTEM_RESET => return Answer::Reset,
        PSCI_CPU_ON | CPU_ON_64 => {
            return match state.cores.start(&x) {
                Answer::Start(_) if state.setting.mode == Mode::Silent => Answer::one(STARTED, &x),
                answer => answer,
            };
        }
        _ => {}
    }
    let mode = state.setting.mode;
    match mode {
        Mode::Garbage => {
            let values = garbage::values(state.setting.start, state.garbage);
            state.garbage = state.garbage.wrapping_add(1);
            return Answer::Four(values);
        }
        Mode::Old | Mode::Leftovers | Mode::Stays | Mode::Deaf => {
            return match function {
                PSCI_VERSION => Answer::one(PSCI_VERSION_0_2.into(), &x),
                PSCI_AFFINITY_INFO | AFFINITY_INFO_64 => state.cores.info(&x),
                _ => Answer::unknown(&x),
            };
        }
        _ => {}
    }
    let has_smccc = mode != Mode::SmcccOne;
    let names_soc = has_smccc && !matches!(mode, Mode::SmcccOneOne | Mode::Nameless);
    let has_ptp = matches!(mode, Mode::Ptp | Mode::PtpLiar);
    let answered = match function {
        PSCI_VERSION if !has_smccc => Some(Answer::one(PSCI_VERSION_1_0.into(), &x)),
        PSCI_VERSION => Some(Answer::one(PSCI_VERSION_1_1.into(), &x)),
        PSCI_FEATURES => {
            let known = match x[1] as u32 {
                PSCI_VERSION | PSCI_FEATURES | PSCI_SYSTEM_OFF | PSCI_SYSTEM_RESET => true,
                PSCI_CPU_ON | CPU_ON_64 | PSCI_AFFINITY_INFO | AFFINITY_INFO_64 => true,
                SMCCC_VERSION => has_smccc,
                _ => false,
            };
            Some(supported(known, &x))
        }
        PSCI_AFFINITY_INFO | AFFINITY_INFO_64 => Some(state.cores.info(&x)),
        SMCCC_VERSION if mode == Mode::SmcccOneOne => Some(Answer::one(SMCCC_VERSION_1_1.into(), &x)),
        SMCCC_VERSION if has_smccc => Some(Answer::one(SMCCC_VERSION_1_2, &x)),
        ARCH_FEATURES if has_smccc => {
            let known = match x[1] as u32 {
                SMCCC_VERSION | ARCH_FEATURES => true,
                ARCH_SOC_ID => names_soc,
                asked => workarounds::has(mode, asked),
            };
            Some(supported(known, &x))
        }
        ARCH_SOC_ID if names_soc => match x[1] as u32 {
            0 => Some(Answer::one(SOC_VERSION.into(), &x)),
            1 => Some(Answer::one(SOC_REVISION.into(), &x)),
            _ => Some(Answer::one(SMCCC_INVALID_PARAMETER.cast_unsigned(), &x)),
        },
        _ if workarounds::has(mode, function) => Some(workarounds::answer()),
        _ => None,
    };
    answered
        .or_else(|| (has_smccc && !has_ptp).then(|| state.entropy.answer(mode, now, &x)).flatten())
        .or_else(|| has_ptp.then(|| ptp::answer(mode == Mode::PtpLiar, now, &x)).flatten())
        .or_else(|| echo::answer(now, &x))
        .unwrap_or(Answer::unknown(&x))
}

#[cfg(test)]
mod tests;
