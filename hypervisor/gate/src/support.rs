//! What a board can serve, and so what its VMs' firmware registers can hold.

use portcullis_abi::{firmware, function};

use crate::error::SetError;
use crate::register::Register;
use crate::table;

/// The upper limits of a VM's firmware registers. It follows from the board, and
/// grows when the control VM gives a board without a clock the time of day.
///
/// A service without a backend lacks its bit: the register reads 0 there and the bit cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// Supported bits of STD.
    pub std: u64,
    /// Supported bits of STD_HYP.
    pub std_hyp: u64,
    /// Supported bits of VENDOR_HYP.
    pub vendor_hyp: u64,
    /// Supported bits of VENDOR_HYP_2.
    pub vendor_hyp_2: u64,
    /// There is a name of the SoC to tell.
    pub soc: bool,
    /// Supported bits of SIP. They are a VM's own: its manifest says which it has.
    pub sip: u64,
    /// Newest PSCI version, `major << 16 | minor`.
    pub psci: u64,
    /// Level of WORKAROUND_1 on this board.
    pub workaround_1: u64,
    /// Level of WORKAROUND_2 on this board: 0 or 3.
    pub workaround_2: u64,
    /// Level of WORKAROUND_3 on this board.
    pub workaround_3: u64,
}

/// Bits 3:0 of a workaround register: its level.
const LEVEL: u64 = 0xf;
/// Bit 4 of WORKAROUND_2: a mitigation that can be switched is on.
const ENABLED: u64 = 1 << 4;

impl Support {
    /// A board without any backend and without protection, yet with PSCI 1.3, which needs none.
    pub const NONE: Self = Self {
        std: 0,
        std_hyp: 0,
        vendor_hyp: 0,
        vendor_hyp_2: 0,
        soc: false,
        sip: 0,
        psci: function::PSCI_VERSION_1_3 as u64,
        workaround_1: firmware::WORKAROUND_NOT_AVAILABLE,
        workaround_2: firmware::WORKAROUND_NOT_AVAILABLE,
        workaround_3: firmware::WORKAROUND_NOT_AVAILABLE,
    };

    /// A board with every backend that the gate knows, whose cores need no workaround.
    pub const FULL: Self = Self {
        std: table::bits(Register::Std),
        std_hyp: table::bits(Register::StdHyp),
        vendor_hyp: table::bits(Register::VendorHyp),
        vendor_hyp_2: table::bits(Register::VendorHyp2),
        soc: true,
        sip: table::bits(Register::Sip),
        psci: function::PSCI_VERSION_1_3 as u64,
        workaround_1: firmware::WORKAROUND_NOT_REQUIRED,
        workaround_2: firmware::WORKAROUND_2_NOT_REQUIRED,
        workaround_3: firmware::WORKAROUND_NOT_REQUIRED,
    };

    /// The limit of `register`: the mask of a bitmap register, otherwise the largest value. What the gate does not know
    /// is not in it, whatever the board says.
    pub const fn limit(&self, register: Register) -> u64 {
        match register {
            Register::PsciVersion => smaller(self.psci, Self::FULL.psci),
            Register::Workaround1 => smaller(self.workaround_1, Self::FULL.workaround_1),
            Register::Workaround2 => smaller(self.workaround_2, Self::FULL.workaround_2),
            Register::Workaround3 => smaller(self.workaround_3, Self::FULL.workaround_3),
            Register::Std => self.std & Self::FULL.std,
            Register::StdHyp => self.std_hyp & Self::FULL.std_hyp,
            Register::VendorHyp => self.vendor_hyp & Self::FULL.vendor_hyp,
            Register::VendorHyp2 => self.vendor_hyp_2 & Self::FULL.vendor_hyp_2,
            Register::Sip => self.sip & Self::FULL.sip,
            // It needs nothing of the board.
            Register::SmcccVersion => function::SMCCC_VERSION_1_2 as u64,
        }
    }

    /// The value of `register` in a VM that was just created: everything supported, but VENDOR_HYP_2 starts at 0, as
    /// every bitmap of KVM's does that is younger than the first three, and SMCCC_VERSION at 1.1, which is what KVM shows.
    pub const fn initial(&self, register: Register) -> u64 {
        match register {
            Register::VendorHyp2 => 0,
            Register::SmcccVersion => function::SMCCC_VERSION_1_1 as u64,
            other => self.limit(other),
        }
    }

    /// Checks a value that a manager wants to set and returns what the register will read: the value itself, except
    /// for WORKAROUND_2, which only knows 0 and 3.
    ///
    /// # Errors
    ///
    /// [`SetError::Unsupported`] for a bit outside the mask, a version that does not exist or is newer than ours,
    /// a workaround level that does not exist or promises more protection than the board has.
    pub fn check(&self, register: Register, value: u64) -> Result<u64, SetError> {
        let supported = self.limit(register);
        let accepted = match register {
            Register::PsciVersion | Register::SmcccVersion => {
                register.versions().iter().any(|&version| u64::from(version) == value).then_some(value)
            }
            Register::Workaround1 | Register::Workaround3 => (value & !LEVEL == 0).then_some(value),
            Register::Workaround2 => workaround_2(value),
            _ => return self.check_bitmap(register, value),
        };
        match accepted {
            Some(accepted) if accepted <= supported => Ok(accepted),
            _ => Err(SetError::Unsupported { register, value, supported }),
        }
    }

    fn check_bitmap(&self, register: Register, value: u64) -> Result<u64, SetError> {
        let supported = self.limit(register);
        if value & !supported == 0 { Ok(value) } else { Err(SetError::Unsupported { register, value, supported }) }
    }
}

/// The smaller of two values; `Ord::min` is not const.
const fn smaller(a: u64, b: u64) -> u64 {
    if a < b { a } else { b }
}

/// WORKAROUND_2 as KVM reads it: levels 0 and 1 say "not protected", 2 and 3 "needs nothing"; the enabled mark goes
/// with level 2 alone.
const fn workaround_2(value: u64) -> Option<u64> {
    if value & !(LEVEL | ENABLED) != 0 || (value & ENABLED != 0 && value & LEVEL != 2) {
        return None;
    }
    match value & LEVEL {
        0 | 1 => Some(firmware::WORKAROUND_NOT_AVAILABLE),
        2 | 3 => Some(firmware::WORKAROUND_2_NOT_REQUIRED),
        _ => None,
    }
}
