//! The same in words, for whoever starts the machine.

use core::fmt;

use portcullis_abi::function::ARCH_WORKAROUND_3;

use super::policy::{History, Protection, Stores, Targets};

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { targets, history, stores, .. } = self;
        let name = self.name.unwrap_or("unknown core");
        write!(f, "{name}: branch targets: {targets}; branch history: {history}; store bypass: {stores}")
    }
}

impl fmt::Display for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apart => f.write_str("kept apart (CSV2)"),
            Self::NotAffected => f.write_str(NOT_AFFECTED),
            Self::FirmwareSays => f.write_str(FIRMWARE_SAYS),
            Self::Call(function) => call(*function, f),
            Self::Exposed => f.write_str(EXPOSED),
        }
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apart => f.write_str("kept apart (CSV2_3)"),
            Self::Hidden => f.write_str("not used by exceptions (ECBHB)"),
            Self::NotAffected => f.write_str(NOT_AFFECTED),
            Self::FirmwareSays => f.write_str(FIRMWARE_SAYS),
            Self::Call(function) => call(*function, f),
            Self::Clear => f.write_str("CLRBHB at exits"),
            Self::Loop(count) => write!(f, "a loop of {count} at exits"),
            Self::Exposed => f.write_str(EXPOSED),
        }
    }
}

impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAffected => NOT_AFFECTED,
            Self::Bit => "PSTATE.SSBS",
            Self::FirmwareSays => FIRMWARE_SAYS,
            Self::SwitchedOn => "kept off by EL3",
            Self::Exposed => EXPOSED,
        })
    }
}

const NOT_AFFECTED: &str = "not affected";
const FIRMWARE_SAYS: &str = "none, by EL3's word";
const EXPOSED: &str = "NOT MITIGATED, EL3 has no workaround";

fn call(function: u32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "EL3's WORKAROUND_{} at exits", if function == ARCH_WORKAROUND_3 { 3 } else { 1 })
}
