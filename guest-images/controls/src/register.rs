//! The firmware registers and their values by name.

use core::fmt;

use portcullis_abi::{firmware, function};

use crate::names::Names;
use crate::number;
use crate::problem::Wrong;

/// A register as people call it.
#[derive(Debug)]
pub struct Register {
    /// Name.
    pub name: &'static str,
    /// Identifier.
    pub id: u64,
    /// Names of values: those of bits can be joined.
    pub values: &'static [(&'static str, u64)],
    /// Whether it holds a bit per service.
    pub bitmap: bool,
}

const VERSIONS: &[(&str, u64)] = &[
    ("0.2", function::PSCI_VERSION_0_2 as u64),
    ("1.0", function::PSCI_VERSION_1_0 as u64),
    ("1.1", function::PSCI_VERSION_1_1 as u64),
    ("1.2", function::PSCI_VERSION_1_2 as u64),
    ("1.3", function::PSCI_VERSION_1_3 as u64),
];
const CONVENTIONS: &[(&str, u64)] =
    &[("1.1", function::SMCCC_VERSION_1_1 as u64), ("1.2", function::SMCCC_VERSION_1_2 as u64)];
const LEVELS: &[(&str, u64)] = &[
    ("not-available", firmware::WORKAROUND_NOT_AVAILABLE),
    ("available", firmware::WORKAROUND_AVAILABLE),
    ("not-required", firmware::WORKAROUND_NOT_REQUIRED),
];
const LEVELS_2: &[(&str, u64)] =
    &[("not-available", firmware::WORKAROUND_NOT_AVAILABLE), ("not-required", firmware::WORKAROUND_2_NOT_REQUIRED)];

const fn bitmap(name: &'static str, id: u64, values: &'static [(&'static str, u64)]) -> Register {
    Register { name, id, values, bitmap: true }
}

const fn number(name: &'static str, id: u64, values: &'static [(&'static str, u64)]) -> Register {
    Register { name, id, values, bitmap: false }
}

/// Every register in the order in which a register list shows them.
pub static REGISTERS: [Register; firmware::ALL.len()] = [
    number("psci", firmware::PSCI_VERSION, VERSIONS),
    number("workaround-1", firmware::WORKAROUND_1, LEVELS),
    number("workaround-2", firmware::WORKAROUND_2, LEVELS_2),
    number("workaround-3", firmware::WORKAROUND_3, LEVELS),
    bitmap("std", firmware::STD, &[("trng", firmware::STD_TRNG)]),
    bitmap("std-hyp", firmware::STD_HYP, &[("pv-time", firmware::STD_HYP_PV_TIME)]),
    bitmap(
        "vendor-hyp",
        firmware::VENDOR_HYP,
        &[("func-feat", firmware::VENDOR_HYP_FUNC_FEAT), ("ptp", firmware::VENDOR_HYP_PTP)],
    ),
    bitmap(
        "vendor-hyp-2",
        firmware::VENDOR_HYP_2,
        &[("impl-ver", firmware::VENDOR_HYP_2_IMPL_VERSION), ("impl-cpus", firmware::VENDOR_HYP_2_IMPL_CPUS)],
    ),
    number("smccc", firmware::SMCCC_VERSION, CONVENTIONS),
    bitmap("sip", firmware::SIP, &[("watchdog", firmware::SIP_WATCHDOG)]),
];

/// The register of an identifier.
pub fn by_id(id: u64) -> Option<&'static Register> {
    REGISTERS.iter().find(|register| register.id == id)
}

/// The identifier that a word means: a name, or a number, whether a register has it or not.
///
/// # Errors
/// Neither a name nor a number.
pub fn identifier(word: &str) -> Result<u64, Wrong> {
    REGISTERS
        .iter()
        .find(|register| register.name == word)
        .map(|register| register.id)
        .or_else(|| number::parse(word))
        .ok_or_else(|| {
            Wrong::new(format_args!(
                "no register is called {word:?}: there are {}, or give an identifier such as {:#x}",
                Names(REGISTERS.iter().map(|register| register.name)),
                firmware::STD
            ))
        })
}

/// The value that a word means for the register with this identifier: names joined by `+` or `|`, `none`, `all` (everything
/// in `supported`), or a number.
///
/// # Errors
/// A name that the register does not have.
pub fn value(id: u64, word: &str, supported: u64) -> Result<u64, Wrong> {
    if let Some(value) = number::parse(word) {
        return Ok(value);
    }
    let register = by_id(id);
    let names = register.map_or(&[][..], |register| register.values);
    let is_bitmap = register.is_some_and(|register| register.bitmap);
    let lookup = |part: &str| match part {
        "none" if is_bitmap => Some(0),
        "all" if register.is_some() => Some(supported),
        _ => names.iter().find(|(name, _)| *name == part).map(|(_, bit)| *bit).or_else(|| number::parse(part)),
    };
    let mut value = 0;
    let joints: &[char] = if is_bitmap { &['+', '|'] } else { &[] };
    for part in word.split(joints) {
        value |= lookup(part).ok_or_else(|| {
            Wrong::new(format_args!(
                "{part:?} is no value of {}: there {} {}{}, or give a number",
                register.map_or("this register", |register| register.name),
                if names.len() == 1 && !is_bitmap { "is" } else { "are" },
                Names(names.iter().map(|(name, _)| *name)),
                if is_bitmap { ", joined by +, none and all" } else { "" },
            ))
        })?;
    }
    Ok(value)
}

/// A value in words: what it has names for, and the rest as a number.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Identifier of the register.
    pub id: u64,
    /// Value.
    pub value: u64,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(register) = by_id(self.id) else { return write!(f, "{:#x}", self.value) };
        if !register.bitmap {
            return match register.values.iter().find(|(_, value)| *value == self.value) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "{:#x}", self.value),
            };
        }
        let mut rest = self.value;
        let mut joint = "";
        for (name, bit) in register.values.iter().filter(|(_, bit)| self.value & bit != 0) {
            write!(f, "{joint}{name}")?;
            rest &= !bit;
            joint = "+";
        }
        match rest {
            0 if joint.is_empty() => f.write_str("none"),
            0 => Ok(()),
            _ => write!(f, "{joint}{rest:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_register_of_the_interface_has_a_name() {
        assert_eq!(REGISTERS.each_ref().map(|register| register.id), firmware::ALL);
        for register in &REGISTERS {
            assert_eq!(identifier(register.name), Ok(register.id));
            for (name, number) in register.values {
                assert_eq!(value(register.id, name, 0), Ok(*number));
                assert_eq!(std::format!("{}", Shown { id: register.id, value: *number }), *name);
            }
        }
        assert_eq!(identifier("0x6030000000160009"), Ok(0x6030_0000_0016_0009));
        assert!(identifier("hyp").is_err());
    }

    #[test]
    fn bits_are_joined() {
        for word in ["func-feat+ptp", "ptp|func-feat", "3", "0x3", "0x1+ptp", "all"] {
            assert_eq!(value(firmware::VENDOR_HYP, word, 3), Ok(3), "{word}");
        }
        assert_eq!(value(firmware::VENDOR_HYP, "none", 3), Ok(0));
        for word in ["trng", "ptp+", "+", "func-feat,ptp"] {
            assert!(value(firmware::VENDOR_HYP, word, 3).is_err(), "{word}");
        }
        assert!(value(firmware::PSCI_VERSION, "1.0+1.1", 0).is_err());
    }

    #[test]
    fn values_without_a_name_are_numbers() {
        let shown = |id, value| std::format!("{}", Shown { id, value });
        assert_eq!(shown(firmware::VENDOR_HYP, 7), "func-feat+ptp+0x4");
        assert_eq!(shown(firmware::STD, 0), "none");
        assert_eq!(shown(firmware::PSCI_VERSION, 0x1_0004), "0x10004");
        assert_eq!(shown(1, 2), "0x2");
    }
}
