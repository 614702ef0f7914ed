//! How often a VM was restored.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a VM was told of its restores, version [`Generation::VERSION`]. Its identifier is a new one wherever it is restored.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Generation {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// How often it was restored, as its clock's page tells: the marker of jumps, and the count of restores.
    pub restores: u64,
}

impl Generation {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
