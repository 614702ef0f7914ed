//! What the cells of a bank hold, which is kept elsewhere.

/// The cells of one bank. Offsets count bytes from its start, and whoever calls stays within it.
pub trait Cells {
    /// Reads what is from `offset` on into `bytes`, a few.
    fn read(&mut self, offset: u64, bytes: &mut [u8]);

    /// Programs `bytes` from `offset` on: clears the bits that are clear in them. They do not cross a multiple of
    /// [`BUFFER`](super::BUFFER).
    fn program(&mut self, offset: u64, bytes: &[u8]);

    /// Erases `length` bytes from `offset` on, within a block: sets all their bits.
    fn erase(&mut self, offset: u64, length: u64);
}
