//! CPU implementations that a VM is told of beside those of its own cores: those of boards to which it may move.

use portcullis_abi::bundle;

use super::error::VmError;

/// What tells one implementation of a CPU from another: its identification registers (Arm ARM, D24.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Implementation {
    /// MIDR_EL1.
    pub midr: u64,
    /// REVIDR_EL1.
    pub revidr: u64,
    /// AIDR_EL1.
    pub aidr: u64,
}

impl Implementation {
    /// Returns MIDR_EL1, REVIDR_EL1 and AIDR_EL1, as a saved VM and a guest's call have them.
    pub const fn registers(self) -> [u64; 3] {
        [self.midr, self.revidr, self.aidr]
    }
}

/// Implementations, at most [`bundle::IMPLEMENTATIONS_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Implementations<'a>(&'a [[u8; 24]]);

impl<'a> Implementations<'a> {
    /// The implementations in the bundle's order.
    pub fn iter(self) -> impl Iterator<Item = Implementation> {
        self.0.iter().map(|bytes| {
            let (words, _) = bytes.as_chunks::<8>();
            let word = |at: usize| words.get(at).map_or(0, |word| u64::from_be_bytes(*word));
            Implementation { midr: word(0), revidr: word(1), aidr: word(2) }
        })
    }

    /// Those of which the bundle has these bytes.
    pub(super) fn parse(value: &'a [u8]) -> Result<Self, VmError> {
        match value.as_chunks::<24>() {
            (list, []) if list.len() <= bundle::IMPLEMENTATIONS_MAX => Ok(list.into()),
            _ => Err(VmError::Malformed(bundle::IMPLEMENTATIONS)),
        }
    }
}

impl<'a> From<&'a [[u8; 24]]> for Implementations<'a> {
    /// Each has three numbers of 64 bits, big-endian, as a bundle does.
    fn from(list: &'a [[u8; 24]]) -> Self {
        Self(list)
    }
}
