//! The stolen time of a vCPU.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What a vCPU was told of its stolen time (Arm DEN0057, section 4.1), version [`StolenTime::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct StolenTime {
    /// Version of this structure.
    pub version: u32,
    /// 1: the guest has asked for the structure, so that it is published; 0: it has not.
    pub wanted: u32,
    /// Stolen time in nanoseconds.
    pub nanoseconds: u64,
}

impl StolenTime {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
