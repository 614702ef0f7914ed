//! The bank that cannot be written.

/// A bank whose cells are mapped for the guest as far as there is a file; beyond it they are erased. What is stored has no
/// effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rom;

impl Rom {
    /// What a load gives that lies behind the file, of which the caller takes as many bytes as are loaded.
    pub const fn read(self) -> u64 {
        u64::MAX
    }
}
