//! What is counted of a vCPU.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A vCPU's calls and exits, version [`Calls::VERSION`]. What has no meaning yet is zero.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Calls {
    /// Version of this structure.
    pub version: u32,
    /// Zero.
    pub reserved: u32,
    /// Calls answered, by conduit (HVC, SMC) and service, in the order of the management call COUNTER.
    pub answered: [[u64; 16]; 2],
    /// Calls denied, the same way.
    pub denied: [[u64; 16]; 2],
    /// Calls forwarded to EL3, by conduit.
    pub forwarded: [u64; 2],
    /// Exits by cause, in the order of the management call.
    pub exits: [u64; 16],
    /// Calls refused in all.
    pub refused: u64,
    /// The refused calls that are remembered, at their number modulo 64: how many ticks ago, and the function identifier, with
    /// bit 32 set for an SMC.
    pub ring: [[u64; 2]; 64],
}

impl Calls {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
