//! Why a management call did nothing.

use portcullis_abi::manage;
use portcullis_gate::{FilterError, SetError};

use crate::vm::state::LifecycleError;

/// A status other than success; [`manage`] says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Status {
    /// [`manage::UNKNOWN_CALL`].
    UnknownCall = manage::UNKNOWN_CALL,
    /// [`manage::WRONG_VERSION`].
    WrongVersion = manage::WRONG_VERSION,
    /// [`manage::UNKNOWN_VM`].
    UnknownVm = manage::UNKNOWN_VM,
    /// [`manage::UNKNOWN_REGISTER`].
    UnknownRegister = manage::UNKNOWN_REGISTER,
    /// [`manage::NOT_PERMITTED`].
    NotPermitted = manage::NOT_PERMITTED,
    /// [`manage::UNSUPPORTED`].
    Unsupported = manage::UNSUPPORTED,
    /// [`manage::FROZEN`].
    Frozen = manage::FROZEN,
    /// [`manage::BAD_STATE`].
    BadState = manage::BAD_STATE,
    /// [`manage::BUSY`].
    Busy = manage::BUSY,
    /// [`manage::BAD_ARGUMENT`].
    BadArgument = manage::BAD_ARGUMENT,
    /// [`manage::NO_ITEM`].
    NoItem = manage::NO_ITEM,
    /// [`manage::RESERVED`].
    Reserved = manage::RESERVED,
    /// [`manage::EMPTY`].
    Empty = manage::EMPTY,
    /// [`manage::WRAPS`].
    Wraps = manage::WRAPS,
    /// [`manage::FORWARD_REFUSED`].
    ForwardRefused = manage::FORWARD_REFUSED,
    /// [`manage::NO_FIRMWARE`].
    NoFirmware = manage::NO_FIRMWARE,
    /// [`manage::OVERLAPS`].
    Overlaps = manage::OVERLAPS,
    /// [`manage::FULL`].
    Full = manage::FULL,
    /// [`manage::UNFIT`].
    Unfit = manage::UNFIT,
    /// [`manage::CLOSED`].
    Closed = manage::CLOSED,
    /// [`manage::NO_MEMORY`].
    NoMemory = manage::NO_MEMORY,
}

impl Status {
    /// Gives the number in x0.
    pub const fn code(self) -> i64 {
        self as i64
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
            FilterError::Empty => Self::Empty,
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

impl From<LifecycleError> for Status {
    fn from(refusal: LifecycleError) -> Self {
        match refusal {
            LifecycleError::Busy => Self::Busy,
            LifecycleError::BadState => Self::BadState,
        }
    }
}
