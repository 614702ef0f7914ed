//! What every emulated device is.

use crate::Description;

pub use portcullis_abi::state::Unfit;

/// An emulated device.
pub trait Device {
    /// What the device needs of the world at an access: nothing, or the time.
    type World<'a>;
    /// All that the device remembers, as a plain structure that outlives this build: one of [`portcullis_abi::state`].
    type State;

    /// What the guest's device tree says of it.
    const DESCRIPTION: Description;

    /// Reads `size` bytes (1, 2, 4 or 8) at `offset` into the frame. The caller cuts the result to `size`.
    fn read(&mut self, world: Self::World<'_>, offset: u64, size: u8) -> u64;

    /// Writes `value`, which is `size` bytes long, at `offset` into the frame.
    fn write(&mut self, world: Self::World<'_>, offset: u64, size: u8, value: u64);

    /// Whether the interrupt line is high, after an access or after time has passed.
    fn level(&self) -> bool;

    /// Puts the device into the state after a reset of the VM.
    fn reset(&mut self);

    /// Returns all that the device remembers.
    fn save(&self) -> Self::State;

    /// Puts the device into a state that was saved.
    ///
    /// # Errors
    ///
    /// [`Unfit`]; the device is as before.
    fn restore(&mut self, state: &Self::State) -> Result<(), Unfit>;
}
