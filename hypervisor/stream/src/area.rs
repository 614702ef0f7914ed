//! What is sent in runs: the VM's memory, and what is in its disks.

use crate::section::{Counts, Kind, Section};

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Its memory.
    Memory,
    /// What the disk in the virtio transport with this number holds.
    Disk(u32),
}

impl Area {
    /// Returns the section of a run, with its bytes or of zeros.
    pub const fn section(self, is_zero: bool) -> Section {
        match (self, is_zero) {
            (Self::Memory, false) => Section::of(Kind::Memory),
            (Self::Memory, true) => Section::of(Kind::Zero),
            (Self::Disk(index), false) => Section { kind: Kind::Contents, index },
            (Self::Disk(index), true) => Section { kind: Kind::Hole, index },
        }
    }

    /// Returns what comes behind it: the first disk of those of a VM that has so much for which `size` tells a number of bytes,
    /// with that.
    pub fn next(self, counts: Counts, size: impl Fn(u32) -> u64) -> Option<(Self, u64)> {
        let first = match self {
            Self::Memory => 0,
            Self::Disk(index) => index.saturating_add(1),
        };
        let disks = (first..u32::BITS).filter(|index| counts.transports >> index & 1 != 0);
        disks.map(|index| (Self::Disk(index), size(index))).find(|(_, size)| *size != 0)
    }
}
