//! Why a write to a VM's policy is refused.

use core::fmt;

use crate::identifiers::MAX_RANGES;
use crate::register::Register;

/// Why a firmware register is not written. The order of the variants is the order of the checks: the first that fails
/// is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// No register has this identifier.
    UnknownRegister {
        /// The identifier that was given.
        id: u64,
    },
    /// The caller may not manage this VM. The gate never reports it: who calls is its caller's knowledge.
    NotPermitted,
    /// The value has a bit that the board does not support, or is none of the register's values.
    Unsupported {
        /// The register.
        register: Register,
        /// The value that was given.
        value: u64,
        /// What is supported: the mask of a bitmap register, otherwise the largest value.
        supported: u64,
    },
    /// The VM has started and the value differs from the one it has.
    Frozen,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnknownRegister { id } => {
                write!(f, "no firmware register has identifier {id:#018x}; REGISTER_LIST tells them all")
            }
            Self::NotPermitted => write!(f, "only the control VM may manage another VM"),
            Self::Unsupported { register, value, supported } if register.is_bitmap() => {
                let bits = value & !supported;
                write!(f, "{register}: bits {bits:#x} are not supported here; the supported ones are {supported:#x}")
            }
            Self::Unsupported { register, value, supported } => {
                let versions = register.versions();
                if versions.is_empty() {
                    return write!(
                        f,
                        "{register}: {value:#x} is no level, or above what protects this board, {supported}"
                    );
                }
                write!(f, "{register}: {value:#x} is none of")?;
                let served = versions.iter().filter(|&&version| u64::from(version) <= supported);
                served
                    .enumerate()
                    .try_for_each(|(at, version)| write!(f, "{} {version:#x}", if at == 0 { "" } else { "," }))
            }
            Self::Frozen => write!(f, "the VM has started: it keeps its firmware registers until it is recreated"),
        }
    }
}

impl core::error::Error for SetError {}

/// Why a range is not added to a filter. The order of the variants is the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// A reserved byte is not zero.
    Reserved,
    /// The range has no function.
    Empty,
    /// The range runs past the last function identifier.
    Wraps,
    /// The action is none that exists.
    UnknownAction,
    /// A function of this range is one that is never forwarded.
    ForwardRefused,
    /// There is no firmware at EL3 to forward to.
    NoFirmware,
    /// The VM has started.
    Frozen,
    /// The range overlaps an earlier one or the Arm architecture calls, which no filter touches.
    Overlaps,
    /// The filter holds as many ranges as it can.
    Full,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved => write!(f, "reserved bytes of the range are not zero"),
            Self::Empty => write!(f, "the range has no function; it must have 1 or more"),
            Self::Wraps => write!(f, "the range runs past 0xffffffff"),
            Self::UnknownAction => write!(f, "unknown action; 0 is handle, 1 is deny, 2 is forward"),
            Self::ForwardRefused => {
                write!(f, "the range has a function that is never forwarded")
            }
            Self::NoFirmware => {
                write!(f, "there is no firmware at EL3 to forward to")
            }
            Self::Frozen => write!(f, "the VM has started: it keeps its filter until it is recreated"),
            Self::Overlaps => {
                write!(f, "the range overlaps another one, or 0x80000000-0x8000ffff or 0xc0000000-0xc000ffff")
            }
            Self::Full => write!(f, "the filter is full: a VM has at most {MAX_RANGES} ranges"),
        }
    }
}

impl core::error::Error for FilterError {}
