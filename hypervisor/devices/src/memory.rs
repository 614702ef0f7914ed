//! Guest memory as a device sees it.

use core::fmt;

/// An address range that is not the guest's RAM from its first to its last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfReach {
    /// First address of the range, as the guest knows it.
    pub address: u64,
    /// Its length in bytes.
    pub length: usize,
}

impl fmt::Display for OutOfReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {:#x} are not all RAM of the VM", self.length, self.address)
    }
}

impl core::error::Error for OutOfReach {}

/// The RAM of a guest, at its own addresses. A device copies in and out: what it judges is its own copy, which the guest
/// cannot change any more. It never holds a reference into guest memory.
///
/// The order in which the bytes of one copy are read or written is not defined, as for a bus master's bursts; between two
/// calls it is that of the calls.
pub trait Memory {
    /// Copies from the guest's memory at `address` on.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    fn copy_in(&mut self, address: u64, to: &mut [u8]) -> Result<(), OutOfReach>;

    /// Copies to the guest's memory at `address` on.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`]; then nothing is copied.
    fn copy_out(&mut self, address: u64, from: &[u8]) -> Result<(), OutOfReach>;
}
