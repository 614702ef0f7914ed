//! A VM's watchdog.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// State of a VM's watchdog, version [`Watchdog::VERSION`]. The longest timeout is its manifest's to say and not in here.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Watchdog {
    /// Version of this structure.
    pub version: u32,
    /// 0: it is off; 1: it is on; 2: it is on and stands still, as the VM has suspended itself.
    pub enabled: u32,
    /// Seconds of a timeout.
    pub timeout: u32,
    /// Zero.
    pub reserved: u32,
    /// Ticks of the VM's counter until it bites; 0 if it is off.
    pub left: u64,
}

impl Watchdog {
    /// The version that is written and understood.
    pub const VERSION: u32 = 1;
}
