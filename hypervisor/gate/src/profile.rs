//! A VM's whole firmware policy in one 64-bit word.

use core::fmt;

use portcullis_abi::function::{SMCCC_VERSION_1_1, SMCCC_VERSION_1_2};

use crate::call::Conduits;
use crate::error::SetError;
use crate::layout::{self, Field};
use crate::register::Register;
use crate::support::Support;

const SUSPEND: u64 = 1 << layout::SUSPEND_BIT;
const CONTROL: u64 = 1 << layout::CONTROL_BIT;
const SOC: u64 = 1 << layout::SOC_BIT;
const FILTERED: u64 = 1 << layout::FILTERED_BIT;
const KEEP: u64 = 1 << layout::KEEP_BIT;
const WRITTEN: u64 = 1 << layout::WRITTEN_BIT;
const FROZEN: u64 = 1 << layout::FROZEN_BIT;

/// What the first write of a firmware register does to the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// It clears every bitmap register first: a manager that predates a register never grants what it does not know.
    #[default]
    Clear,
    /// Registers that are not written keep their bits, as in Linux KVM.
    Keep,
}

/// The marks of a word that comes from elsewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marks {
    /// [`Rule::Keep`].
    pub keep: bool,
    /// A register was written.
    pub written: bool,
    /// The VM has started.
    pub frozen: bool,
    /// A filter stands before the bits.
    pub filtered: bool,
}

/// A VM's whole firmware policy. The firmware registers are views of it; [`layout`] says where they lie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Profile(pub u64);

impl Profile {
    /// The word of a VM that does not exist: no conduit is open, nothing can be set.
    pub const ABSENT: Self = Self(FROZEN);

    /// The word of a VM that was just created.
    pub fn created(support: &Support, conduits: Conduits) -> Self {
        let empty = Self(layout::CONDUITS.put(0, u64::from(conduits.bits())) | if support.soc { SOC } else { 0 });
        Register::ALL.iter().fold(empty, |profile, &register| profile.with(register, support.initial(register)))
    }

    /// The value of `register`.
    pub const fn register(self, register: Register) -> u64 {
        match register {
            Register::PsciVersion => self.psci_version() as u64,
            Register::SmcccVersion => SMCCC_VERSION_1_1 as u64 + layout::SMCCC_MINOR.get(self.0),
            other => field(other).get(self.0),
        }
    }

    /// The word with `register` set to `value`, of which only the bits that fit are taken. No check is made and no mark
    /// is changed.
    #[must_use]
    pub const fn with(self, register: Register, value: u64) -> Self {
        match register {
            Register::PsciVersion => {
                let word = layout::PSCI_MINOR.put(self.0, value & 0xffff);
                Self(layout::PSCI_MAJOR.put(word, value >> 16))
            }
            Register::SmcccVersion => {
                Self(layout::SMCCC_MINOR.put(self.0, value.saturating_sub(SMCCC_VERSION_1_1 as u64)))
            }
            other => Self(field(other).put(self.0, value)),
        }
    }

    /// The word with the workaround registers no higher than `support` says. A frozen one stays as it is.
    pub(crate) fn with_limited_workarounds(self, support: &Support) -> Self {
        if self.is_frozen() {
            return self;
        }
        [Register::Workaround1, Register::Workaround2, Register::Workaround3]
            .into_iter()
            .fold(self, |word, register| word.with(register, word.register(register).min(support.limit(register))))
    }

    /// The PSCI version as `PSCI_VERSION` returns it.
    #[allow(clippy::cast_possible_truncation, reason = "both fields are a few bits wide")]
    pub const fn psci_version(self) -> u32 {
        (layout::PSCI_MAJOR.get(self.0) << 16 | layout::PSCI_MINOR.get(self.0)) as u32
    }

    /// Whether the bit with this number, one of the `_BIT` constants of [`layout`], is set.
    pub const fn has(self, bit: u32) -> bool {
        self.0.wrapping_shr(bit) & 1 != 0
    }

    /// The open conduits.
    #[allow(clippy::cast_possible_truncation, reason = "the field is two bits wide")]
    pub fn conduits(self) -> Conduits {
        Conduits::from_bits(layout::CONDUITS.get(self.0) as u32).unwrap_or(Conduits::NONE)
    }

    /// Whether the VM is told which SoC it runs on: there is something to tell, and it is shown SMCCC 1.2, to which that belongs.
    pub const fn is_told_soc(self) -> bool {
        self.0 & SOC != 0 && self.is_smccc_1_2()
    }

    /// Whether the VM is shown SMCCC 1.2 or later, where results of calls may stand in x4 to x17.
    pub const fn is_smccc_1_2(self) -> bool {
        self.register(Register::SmcccVersion) >= SMCCC_VERSION_1_2 as u64
    }

    /// The word of a VM that is told which SoC it runs on.
    #[must_use]
    pub(crate) const fn with_soc(self) -> Self {
        Self(self.with(Register::SmcccVersion, SMCCC_VERSION_1_2 as u64).0 | SOC)
    }

    /// Whether this is the control VM, which has the management calls.
    pub const fn is_control(self) -> bool {
        self.0 & CONTROL != 0
    }

    /// The word of the control VM.
    #[must_use]
    pub const fn with_control(self) -> Self {
        Self(self.0 | CONTROL)
    }

    /// Whether the VM may suspend itself.
    pub const fn may_suspend(self) -> bool {
        self.0 & SUSPEND != 0
    }

    /// The word of a VM that may suspend itself.
    #[must_use]
    pub const fn with_suspend(self) -> Self {
        Self(self.0 | SUSPEND)
    }

    /// The word of a VM with these conduits that has everything that the board supports, frozen: for a VM that is
    /// watched to learn what it needs.
    pub fn everything(support: &Support, conduits: Conduits) -> Self {
        let full = |profile: Self, &register: &Register| profile.with(register, support.limit(register));
        Self(Register::ALL.iter().fold(Self::created(support, conduits), full).0 | FROZEN)
    }

    /// What the first write does, or did.
    pub const fn rule(self) -> Rule {
        if self.0 & KEEP == 0 { Rule::Clear } else { Rule::Keep }
    }

    /// Whether a register was written since the VM was created.
    pub const fn is_written(self) -> bool {
        self.0 & WRITTEN != 0
    }

    /// Whether the VM has started: nothing of the word changes any more.
    pub const fn is_frozen(self) -> bool {
        self.0 & FROZEN != 0
    }

    /// Whether a range filter stands before the bits.
    pub const fn is_filtered(self) -> bool {
        self.0 & FILTERED != 0
    }

    /// The word after SET of a value that [`Support::check`] accepted, the first-write rule included.
    pub(crate) fn after_set(self, register: Register, value: u64) -> Result<Self, SetError> {
        if self.is_frozen() {
            return if self.register(register) == value { Ok(self) } else { Err(SetError::Frozen) };
        }
        let clear = !self.is_written() && self.rule() == Rule::Clear;
        let base = if clear { self.without_bitmaps() } else { self };
        Ok(Self(base.with(register, value).0 | WRITTEN))
    }

    /// The word after "clear all", which counts as a write.
    pub(crate) fn after_clear_all(self) -> Result<Self, SetError> {
        let cleared = self.without_bitmaps();
        if self.is_frozen() {
            return if cleared == self { Ok(self) } else { Err(SetError::Frozen) };
        }
        Ok(Self(cleared.0 | WRITTEN))
    }

    /// The word with another rule for the first write.
    pub(crate) fn after_set_rule(self, rule: Rule) -> Result<Self, SetError> {
        if self.is_frozen() {
            return if self.rule() == rule { Ok(self) } else { Err(SetError::Frozen) };
        }
        Ok(match rule {
            Rule::Clear => Self(self.0 & !KEEP),
            Rule::Keep => Self(self.0 | KEEP),
        })
    }

    /// The word of a VM that starts; one that has started stays as it is.
    pub(crate) const fn after_freeze(self, filtered: bool) -> Self {
        if self.is_frozen() {
            return self;
        }
        Self(self.0 | FROZEN | if filtered { FILTERED } else { 0 })
    }

    /// The word of a VM with these conduits, the permissions that it has, and the name of a SoC if it has that, whose registers and
    /// marks come from elsewhere.
    pub(crate) const fn restored(self, registers: Self, marks: Marks) -> Self {
        let own = layout::CONDUITS.put(0, layout::CONDUITS.get(self.0)) | self.0 & (CONTROL | SUSPEND | SOC);
        let mut word = own | registers.0;
        if marks.keep {
            word |= KEEP;
        }
        if marks.written {
            word |= WRITTEN;
        }
        if marks.frozen {
            word |= FROZEN;
        }
        if marks.filtered {
            word |= FILTERED;
        }
        Self(word)
    }

    const fn without_bitmaps(self) -> Self {
        Self(self.0 & !layout::BITMAPS)
    }
}

/// Where a register lies that is one field. PSCI_VERSION is two; of versions the minor number stands here.
const fn field(register: Register) -> Field {
    match register {
        Register::PsciVersion => layout::PSCI_MINOR,
        Register::Workaround1 => layout::WORKAROUND_1,
        Register::Workaround2 => layout::WORKAROUND_2,
        Register::Workaround3 => layout::WORKAROUND_3,
        Register::Std => layout::STD,
        Register::StdHyp => layout::STD_HYP,
        Register::VendorHyp => layout::VENDOR_HYP,
        Register::VendorHyp2 => layout::VENDOR_HYP_2,
        Register::SmcccVersion => layout::SMCCC_MINOR,
        Register::Sip => layout::SIP,
    }
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Profile");
        for register in Register::ALL {
            out.field(register.name(), &format_args!("{:#x}", self.register(register)));
        }
        out.field("conduits", &self.conduits())
            .field("rule", &self.rule())
            .field("written", &self.is_written())
            .field("control", &self.is_control())
            .field("suspend", &self.may_suspend())
            .field("filtered", &self.is_filtered())
            .field("frozen", &self.is_frozen())
            .finish()
    }
}

/// The services and versions as the line at a start has them: a bit per service in each bitmap, versions as numbers with a dot.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for register in Register::ALL.into_iter().filter(|register| register.is_bitmap()) {
            write!(f, "{comma}{register} {:#x}", self.register(register))?;
            comma = ", ";
        }
        for register in Register::ALL.into_iter().filter(|register| !register.versions().is_empty()) {
            let (name, version) = (register.name(), self.register(register));
            write!(f, ", {} {}.{}", name.strip_suffix("_VERSION").unwrap_or(name), version >> 16, version & 0xffff)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_at_a_start_names_every_bitmap_and_version() {
        let told = std::format!("{}", Profile::everything(&Support::FULL, Conduits::BOTH));
        assert_eq!(told, "STD 0x1, STD_HYP 0x1, VENDOR_HYP 0x3, VENDOR_HYP_2 0x3, SIP 0x1, PSCI 1.3, SMCCC 1.2");
    }
}
