//! Why a state is refused.

use core::fmt;

/// Why a saved state is not taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is of another version than the one that is known.
    Version {
        /// The version that was saved.
        saved: u32,
        /// The one that is known.
        known: u32,
    },
    /// The part named holds what nothing of this kind ever holds.
    Value(&'static str),
    /// The part named is good, and this machine or this VM does not have it.
    Absent(&'static str),
}

impl Unfit {
    /// Checks that a state of version `saved` is of the one that is known.
    ///
    /// # Errors
    ///
    /// [`Unfit::Version`].
    pub const fn check_version(saved: u32, known: u32) -> Result<(), Self> {
        if saved == known { Ok(()) } else { Err(Self::Version { saved, known }) }
    }

    /// Checks that a reserved word of a state is zero.
    ///
    /// # Errors
    ///
    /// [`Unfit::Value`].
    pub const fn check_reserved(word: u32) -> Result<(), Self> {
        if word == 0 { Ok(()) } else { Err(Self::Value("a reserved word")) }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { saved, known } => {
                write!(f, "its state is of version {saved}; version {known} is known here")
            }
            Self::Value(part) => write!(f, "its state is damaged: {part} holds a value that it cannot have"),
            Self::Absent(part) => write!(f, "its state has {part} that this VM does not have"),
        }
    }
}

impl core::error::Error for Unfit {}
