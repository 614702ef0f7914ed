//! The restarts of a VM.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How often a VM has started again, version [`Restarts::VERSION`]. How often it may is its manifest's to say.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Restarts {
    /// Version of this structure.
    pub version: u32,
    /// Restarts on failure since a manager last made or restarted the VM.
    pub failures: u32,
    /// Restarts for whatever cause since creation.
    pub total: u32,
    /// Zero.
    pub reserved: u32,
}

impl Restarts {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
