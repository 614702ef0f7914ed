//! Who takes on what is read of a stream.

use crate::area::Area;
use crate::section::Section;
use crate::sum::Sum;

/// A VM that is restored, with the buffer from which it is. What is in the header it compares and keeps; the VM is untouched
/// until it has accepted that.
pub trait Restore: Sum {
    /// Why it does not go on.
    type Error;

    /// Returns how many bytes the buffer has left.
    fn available(&self) -> usize;

    /// Takes the next bytes out of the buffer, as many as there are in `to`.
    ///
    /// # Errors
    ///
    /// The buffer cannot be read.
    fn take(&mut self, to: &mut [u8]) -> Result<(), Self::Error>;

    /// Takes on a section in front of memory, which is as long as one of its kind and whole. One of the header comes before
    /// [`accept`](Self::accept), any other one after it.
    ///
    /// # Errors
    ///
    /// It is not taken on.
    fn state(&mut self, section: Section, body: &[u8]) -> Result<(), Self::Error>;

    /// The header has come as a whole.
    ///
    /// # Errors
    ///
    /// The VM is not restored.
    fn accept(&mut self) -> Result<(), Self::Error>;

    /// All but the end has come: works out the next piece of what follows from it. True, and nothing is done: that was all.
    ///
    /// # Errors
    ///
    /// The VM is not restored.
    fn derive(&mut self) -> Result<bool, Self::Error> {
        Ok(true)
    }

    /// Returns how many bytes an area behind memory has, in whole pages; 0 if it has none that are sent.
    fn size(&self, area: Area) -> u64;

    /// Copies the next `length` bytes of the buffer to an area from `offset` on, and returns `sum` with them taken in.
    /// Whether they are what was saved is known only when the section has ended.
    ///
    /// # Errors
    ///
    /// The memory cannot be written, or the buffer cannot be read.
    fn store(&mut self, area: Area, offset: u64, length: usize, sum: u32) -> Result<u32, Self::Error>;

    /// Has `length` bytes of an area from `offset` on be [blank](Area::blank), or the first of them as far as is done at a time.
    /// Returns how many are.
    ///
    /// # Errors
    ///
    /// The memory cannot be written.
    fn clear(&mut self, area: Area, offset: u64, length: u64) -> Result<u64, Self::Error>;
}
