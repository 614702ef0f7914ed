//! A VM's firmware policy.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A range of a VM's filter.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct FilterRange {
    /// First function identifier.
    pub first: u32,
    /// Number of function identifiers.
    pub count: u32,
    /// What becomes of them: 0 the registers decide, 1 refused, 2 handed to EL3.
    pub action: u32,
}

/// State of a VM's firmware policy, version [`Firmware::VERSION`]. What the VM may do otherwise, its conduits and whether it is the
/// control VM, is its manifest's to say and not in here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Firmware {
    /// Version of this structure.
    pub version: u32,
    /// 1: a first write leaves the other registers as they are.
    pub keep: u32,
    /// 1: a register was written since the VM was created.
    pub written: u32,
    /// 1: the VM has started.
    pub frozen: u32,
    /// The firmware registers, in the order of [`crate::firmware::ALL`].
    pub registers: [u64; crate::firmware::ALL.len()],
    /// Number of ranges in the filter.
    pub ranges: u32,
    /// The ranges in ascending order; zeros behind them.
    pub filter: [FilterRange; 32],
    /// Zero.
    pub reserved: u32,
}

impl Firmware {
    /// The version that is written and understood.
    pub const VERSION: u32 = 3;
}
