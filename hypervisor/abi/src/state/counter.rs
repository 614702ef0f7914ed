//! A VM's counter.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// State of a VM's virtual counter, which stands still, version [`Counter::VERSION`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Counter {
    /// Version of this structure.
    pub version: u32,
    /// Ticks per second, as CNTFRQ_EL0 tells the guest.
    pub frequency: u32,
    /// CNTVCT_EL0.
    pub value: u64,
}

impl Counter {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
