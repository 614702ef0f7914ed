//! What is sent in runs: the VM's memory, what is in its disks, and the cells of its flash.

use crate::counts::Counts;
use crate::kind::Kind;
use crate::section::Section;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// Its memory.
    Memory,
    /// What the disk in the virtio transport with this number holds.
    Disk(u32),
    /// The cells of the second bank of its flash.
    Flash,
}

impl Area {
    /// Returns the byte of which pages consist that are told and not sent: erased cells have every bit set.
    pub const fn blank(self) -> u8 {
        match self {
            Self::Memory | Self::Disk(_) => 0,
            Self::Flash => 0xff,
        }
    }

    /// Returns the section of a run, with its bytes or of blank pages.
    pub const fn section(self, is_blank: bool) -> Section {
        match (self, is_blank) {
            (Self::Memory, false) => Section::of(Kind::Memory),
            (Self::Memory, true) => Section::of(Kind::Zero),
            (Self::Disk(index), false) => Section { kind: Kind::Contents, index },
            (Self::Disk(index), true) => Section { kind: Kind::Hole, index },
            (Self::Flash, false) => Section::of(Kind::Cells),
            (Self::Flash, true) => Section::of(Kind::Erased),
        }
    }

    /// Returns what comes behind it, of a VM that has so much: the first of its disks and its flash for which `size` tells a number
    /// of bytes, with that.
    pub fn next(self, counts: Counts, size: impl Fn(Self) -> u64) -> Option<(Self, u64)> {
        let first = match self {
            Self::Memory => 0,
            Self::Disk(index) => index.saturating_add(1),
            Self::Flash => return None,
        };
        let disks = (first..u32::BITS).filter(|index| counts.transports >> index & 1 != 0).map(Self::Disk);
        let areas = disks.chain((counts.flashes != 0).then_some(Self::Flash));
        areas.map(|area| (area, size(area))).find(|(_, size)| *size != 0)
    }
}
