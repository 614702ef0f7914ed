//! What every emulated device is.

use core::fmt;

use crate::Description;

/// A saved state that a device cannot take on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It is of another version than the one that the device knows.
    Version {
        /// The version that was saved.
        saved: u32,
        /// The one that the device knows.
        known: u32,
    },
    /// The part named holds what no device of this kind ever holds.
    Value(&'static str),
}

impl Unfit {
    /// Checks that a state of version `saved` is of the one that the device knows.
    ///
    /// # Errors
    ///
    /// [`Unfit::Version`].
    pub fn check_version(saved: u32, known: u32) -> Result<(), Self> {
        if saved == known { Ok(()) } else { Err(Self::Version { saved, known }) }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { saved, known } => {
                write!(f, "its state is of version {saved}; version {known} is known here")
            }
            Self::Value(part) => write!(f, "its state is damaged: {part} holds a value that the device cannot have"),
        }
    }
}

impl core::error::Error for Unfit {}

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
