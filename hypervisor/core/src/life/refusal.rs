//! Why a VM is not saved, or a saved one is not restored.

use core::fmt;

use portcullis_abi::state::Unfit;
use portcullis_devices::OutOfReach;
use portcullis_stream::needs::Lack;

use crate::links::backplane::NotSaved;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A state is not taken on.
    Unfit(Unfit),
    /// This machine, or the VM that was created, lacks something.
    Lack(Lack),
    /// Its memory, or the manager's buffer, is out of reach.
    OutOfReach(OutOfReach),
    /// It does not stand still: an interrupt of the hardware is on its way to this vCPU.
    Moves,
    /// One of its devices is being reset.
    Resets,
    /// The server of the disk with this name does not answer.
    Waits(&'static str),
    /// None of its vCPUs is on.
    NoneOn,
}

impl From<Unfit> for Refusal {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

impl From<Lack> for Refusal {
    fn from(lack: Lack) -> Self {
        Self::Lack(lack)
    }
}

impl From<OutOfReach> for Refusal {
    fn from(range: OutOfReach) -> Self {
        Self::OutOfReach(range)
    }
}

impl From<NotSaved> for Refusal {
    fn from(reason: NotSaved) -> Self {
        match reason {
            NotSaved::Moves => Self::Resets,
            NotSaved::Waits(disk) => Self::Waits(disk),
            NotSaved::Length => Self::Unfit(Unfit::Value("the length of a state")),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfit(unfit) => unfit.fmt(f),
            Self::Lack(lack) => lack.fmt(f),
            Self::OutOfReach(OutOfReach { address, length }) => {
                write!(f, "{length:#x} bytes at {address:#x} are not within a VM's memory")
            }
            Self::Moves => write!(f, "an interrupt of the hardware is on its way to it; pause it anew"),
            Self::Resets => write!(f, "one of its devices is being reset; resume it, and pause it anew"),
            Self::Waits(disk) => {
                write!(f, "disk {disk} has requests that its server does not answer within the disk's `timeout`")
            }
            Self::NoneOn => write!(f, "none of its vCPUs is on"),
        }
    }
}

impl core::error::Error for Refusal {}
