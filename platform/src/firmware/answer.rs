//! How an answer of the firmware is read.

use core::fmt;

/// Whether x0 holds an error code: SMCCC's, PSCI's and TRNG's are negative 32-bit numbers (DEN0028 section 7.1), which
/// firmware extends to 64 bits or does not.
pub const fn is_error(x0: u64) -> bool {
    (x0 as i32) < 0
}

/// A version: major number in bits 30:16, minor in 15:0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32);

impl Version {
    /// This version.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// The version in x0; none if it is an error code.
    pub const fn of(x0: u64) -> Option<Self> {
        if is_error(x0) { None } else { Some(Self(x0 as u32)) }
    }

    /// The major number.
    pub const fn major(self) -> u32 {
        self.0 >> 16
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.0 & 0xffff)
    }
}
