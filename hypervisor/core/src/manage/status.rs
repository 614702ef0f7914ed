//! Why a management call did nothing.

use portcullis_abi::manage;
use portcullis_gate::{FilterError, SetError};

use crate::vm::state::Refusal;

/// A status other than success; [`manage`] says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// [`manage::UNKNOWN_CALL`].
    UnknownCall,
    /// [`manage::WRONG_VERSION`].
    WrongVersion,
    /// [`manage::UNKNOWN_VM`].
    UnknownVm,
    /// [`manage::UNKNOWN_REGISTER`].
    UnknownRegister,
    /// [`manage::NOT_PERMITTED`].
    NotPermitted,
    /// [`manage::UNSUPPORTED`].
    Unsupported,
    /// [`manage::FROZEN`].
    Frozen,
    /// [`manage::BAD_STATE`].
    BadState,
    /// [`manage::BUSY`].
    Busy,
    /// [`manage::BAD_ARGUMENT`].
    BadArgument,
    /// [`manage::NO_ITEM`].
    NoItem,
    /// [`manage::RESERVED`].
    Reserved,
    /// [`manage::WRAPS`].
    Wraps,
    /// [`manage::FORWARD_REFUSED`].
    ForwardRefused,
    /// [`manage::NO_FIRMWARE`].
    NoFirmware,
    /// [`manage::OVERLAPS`].
    Overlaps,
    /// [`manage::FULL`].
    Full,
}

impl Status {
    /// The number in x0.
    pub const fn code(self) -> i64 {
        match self {
            Self::UnknownCall => manage::UNKNOWN_CALL,
            Self::WrongVersion => manage::WRONG_VERSION,
            Self::UnknownVm => manage::UNKNOWN_VM,
            Self::UnknownRegister => manage::UNKNOWN_REGISTER,
            Self::NotPermitted => manage::NOT_PERMITTED,
            Self::Unsupported => manage::UNSUPPORTED,
            Self::Frozen => manage::FROZEN,
            Self::BadState => manage::BAD_STATE,
            Self::Busy => manage::BUSY,
            Self::BadArgument => manage::BAD_ARGUMENT,
            Self::NoItem => manage::NO_ITEM,
            Self::Reserved => manage::RESERVED,
            Self::Wraps => manage::WRAPS,
            Self::ForwardRefused => manage::FORWARD_REFUSED,
            Self::NoFirmware => manage::NO_FIRMWARE,
            Self::Overlaps => manage::OVERLAPS,
            Self::Full => manage::FULL,
        }
    }
}

impl From<SetError> for Status {
    fn from(error: SetError) -> Self {
        match error {
            SetError::UnknownRegister { .. } => Self::UnknownRegister,
            SetError::NotPermitted => Self::NotPermitted,
            SetError::Unsupported { .. } => Self::Unsupported,
            SetError::Frozen => Self::Frozen,
        }
    }
}

impl From<FilterError> for Status {
    fn from(error: FilterError) -> Self {
        match error {
            FilterError::Reserved => Self::Reserved,
            FilterError::Wraps => Self::Wraps,
            FilterError::UnknownAction => Self::BadArgument,
            FilterError::ForwardRefused => Self::ForwardRefused,
            FilterError::NoFirmware => Self::NoFirmware,
            FilterError::Frozen => Self::Frozen,
            FilterError::Overlaps => Self::Overlaps,
            FilterError::Full => Self::Full,
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy => Self::Busy,
            Refusal::BadState => Self::BadState,
        }
    }
}
