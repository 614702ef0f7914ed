//! A set of vCPUs of one VM.

use portcullis_abi::map::MAX_VCPUS;

/// vCPUs whose cores must be kicked, because something is waiting for them; bit n stands for vCPU n.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[must_use = "the cores of these vCPUs have to be interrupted, or they do not see what changed"]
pub struct VcpuSet(u8);

const _: () = assert!(MAX_VCPUS <= u8::BITS as usize);

impl VcpuSet {
    /// No vCPU.
    pub const EMPTY: Self = Self(0);

    /// Whether no vCPU is in the set.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether vCPU `index` is in the set.
    #[inline]
    pub const fn contains(self, index: usize) -> bool {
        index < MAX_VCPUS && self.0 >> index & 1 != 0
    }

    /// The set as bits.
    #[inline]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set without vCPU `index`, such as the one whose core is running this and will look anyway.
    #[inline]
    pub const fn without(self, index: usize) -> Self {
        if index < MAX_VCPUS { Self(self.0 & !(1 << index)) } else { self }
    }

    /// Adds vCPU `index`.
    #[inline]
    pub(super) fn insert(&mut self, index: usize) {
        if index < MAX_VCPUS {
            self.0 |= 1 << index;
        }
    }

    /// Adds the vCPUs of `other`.
    #[inline]
    pub(super) fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

impl Iterator for VcpuSet {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let index = self.0.trailing_zeros() as usize;
        // With the set empty the mask below is 0 as well.
        self.0 &= self.0.wrapping_sub(1);
        (index < MAX_VCPUS).then_some(index)
    }
}
