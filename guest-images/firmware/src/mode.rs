//! How the firmware behaves. A loader puts it into memory as one 64-bit word before the machine starts.

/// What the firmware does with calls. In every mode `SYSTEM_OFF` and `SYSTEM_RESET` of PSCI do what they are for, and in all
/// but the last one `CPU_ON` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mode {
    /// PSCI 1.1, SMCCC 1.2, TRNG 1.0 and the services of [`crate::echo`], all as they should be.
    Honest = 0,
    /// Each other call returns the next values of [`crate::garbage`].
    Garbage = 1,
    /// TRNG never has entropy.
    NoEntropy = 2,
    /// TRNG says that its version is 2.0.
    TrngTwo = 3,
    /// TRNG says that it has `TRNG_RND64`, which is then not supported.
    TrngLiar = 4,
    /// The PTP service of Linux KVM, and no TRNG.
    Ptp = 5,
    /// The same with counter values that have nothing to do with the counter.
    PtpLiar = 6,
    /// TRNG has three words for each 10 ms.
    SlowEntropy = 7,
    /// PSCI 0.2 and nothing else.
    Old = 8,
    /// PSCI 1.0, and no SMCCC 1.1: neither `SMCCC_VERSION` nor TRNG. The services of [`crate::echo`] are there.
    SmcccOne = 9,
    /// As [`Mode::Honest`], but SMCCC 1.1, where results beyond x3 do not exist.
    SmcccOneOne = 10,
    /// As [`Mode::Honest`], but no core that is started ever comes.
    Silent = 11,
    /// As [`Mode::Honest`], with all three workarounds, which every core needs.
    Workarounds = 12,
    /// As [`Mode::Honest`], with the first one of them alone.
    FirstWorkaround = 13,
    /// As [`Mode::Old`], but on each core EL2's registers are full of ones when it is entered, and interrupts are enabled,
    /// pending and active.
    Leftovers = 14,
    /// As [`Mode::Old`], but the hypervisor is entered at EL3.
    Stays = 15,
    /// As [`Mode::Honest`], but it names no SoC.
    Nameless = 16,
    /// As [`Mode::Old`], but every interrupt is left in group 0, the secure world's: none reaches the hypervisor.
    Deaf = 17,
}

impl Mode {
    /// All modes.
    pub const ALL: [Self; 18] = [
        Self::Honest,
        Self::Garbage,
        Self::NoEntropy,
        Self::TrngTwo,
        Self::TrngLiar,
        Self::Ptp,
        Self::PtpLiar,
        Self::SlowEntropy,
        Self::Old,
        Self::SmcccOne,
        Self::SmcccOneOne,
        Self::Silent,
        Self::Workarounds,
        Self::FirstWorkaround,
        Self::Leftovers,
        Self::Stays,
        Self::Nameless,
        Self::Deaf,
    ];
}

/// What the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The behaviour, bits 31:0 of the word.
    pub mode: Mode,
    /// Where in its list [`Mode::Garbage`] begins, bits 63:32 of the word. Other modes do not look at it.
    pub start: u32,
}

impl Setting {
    /// What `word` says, if there is such a mode.
    pub fn from_word(word: u64) -> Option<Self> {
        let mode = Mode::ALL.into_iter().find(|mode| *mode as u32 == word as u32)?;
        Some(Self { mode, start: (word >> 32) as u32 })
    }

    /// The word that says this.
    pub const fn word(self) -> u64 {
        (self.start as u64) << 32 | self.mode as u64
    }
}

impl From<Mode> for Setting {
    fn from(mode: Mode) -> Self {
        Self { mode, start: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_they_say() {
        for (number, mode) in Mode::ALL.into_iter().enumerate() {
            assert_eq!(mode as usize, number);
            let setting = Setting { mode, start: 0xabcd_ef01 };
            assert_eq!(Setting::from_word(setting.word()), Some(setting));
        }
        assert_eq!(Setting::from_word(0), Some(Mode::Honest.into()));
        assert_eq!(Setting::from_word(Mode::ALL.len() as u64), None);
    }
}
