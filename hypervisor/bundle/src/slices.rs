//! The time slices of a VM's vCPUs in the bundle.

use portcullis_abi::bundle;

use super::error::VmError;
use super::limit::SLICE;

/// How long each vCPU of a VM runs at a time on a core that it shares by round robin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slices<'a>(&'a [[u8; 4]]);

impl<'a> Slices<'a> {
    /// The slice of a vCPU in microseconds, from [`bundle::SLICE_MIN`] to [`bundle::SLICE_MAX`].
    pub fn microseconds(self, vcpu: usize) -> u32 {
        self.0.get(vcpu).map_or(bundle::SLICE, |cell| u32::from_be_bytes(*cell))
    }

    pub(super) fn parse(value: &'a [u8]) -> Result<Self, VmError> {
        let (cells, rest) = value.as_chunks();
        if cells.is_empty() || !rest.is_empty() {
            return Err(VmError::Malformed(bundle::SLICES));
        }
        for cell in cells {
            SLICE.check(u32::from_be_bytes(*cell).into()).map_err(VmError::Slice)?;
        }
        Ok(Self(cells))
    }

    /// Whether these are slices of so many vCPUs, or none were given.
    pub(super) fn fits(self, vcpus: usize) -> bool {
        self.0.is_empty() || self.0.len() == vcpus
    }
}
