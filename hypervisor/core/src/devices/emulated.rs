//! What the bus of a VM holds: a device with all that it works with.

use portcullis_abi::state::{self, Unfit};
use portcullis_devices::{Description, Unused};

use super::owner::Owner;

/// A device of a VM. What a guest does to it happens behind its own lock, on the core of the vCPU that does it.
pub trait Emulated: Send + Sync {
    /// Whether it is there in this life of the VM; else its addresses hold nothing.
    fn is_there(&self) -> bool {
        true
    }

    /// A life of the VM begins.
    fn begin(&self, _owner: &dyn Owner) {}

    /// What the guest's device tree says of it, in this life of the VM.
    fn describe(&self) -> Option<&'static Description> {
        None
    }

    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` into its frame; the caller cuts the result to them.
    fn read(&self, owner: &dyn Owner, offset: u64, size: u8) -> u64;

    /// Writes `value`, which is `size` bytes long, at `offset` into its frame.
    fn write(&self, owner: &dyn Owner, offset: u64, size: u8, value: u64);

    /// Does what has come due as time went by, on core `core`. Returns when the timer of that core is to be set for it: the
    /// physical counter then.
    fn look(&self, _owner: &dyn Owner, _core: usize) -> Option<u64> {
        None
    }

    /// The time of day was set. Does what has come due by that, and returns when the timer of this core, `core`, is to be set
    /// for it, whichever core's was before: the physical counter then.
    fn time_was_set(&self, _owner: &dyn Owner, _core: usize) -> Option<u64> {
        None
    }

    /// Puts it into its state after a reset of the VM, all of whose vCPUs are off.
    fn reset(&self, _owner: &dyn Owner) {}

    /// Makes it anew, with the VM.
    fn renew(&self) {}

    /// Returns its state, if it is a clock and there in this life of the VM.
    fn save_clock(&self) -> Option<state::Pl031> {
        None
    }

    /// Takes a clock's state on, of a VM none of whose vCPUs runs.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then. It is no clock, or not there.
    fn restore_clock(&self, _saved: &state::Pl031) -> Result<(), Unfit> {
        Err(Unfit::Absent("a PL031"))
    }

    /// Returns its state, if it is a bank of flash that takes commands.
    fn save_flash(&self) -> Option<state::Flash> {
        None
    }

    /// Takes such a bank's state on, of a VM none of whose vCPUs runs, or has since its tables were last forgotten.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; nothing has changed then. It is no such bank.
    fn restore_flash(&self, _saved: &state::Flash) -> Result<(), Unfit> {
        Err(Unfit::Absent("a bank of flash that takes commands"))
    }
}

/// It remembers nothing.
impl Emulated for Unused {
    fn read(&self, _: &dyn Owner, offset: u64, _: u8) -> u64 {
        Self::read(*self, offset)
    }

    fn write(&self, _: &dyn Owner, _: u64, _: u8, _: u64) {}
}
