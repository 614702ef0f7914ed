//! The levels of the workaround registers.

use portcullis_gate::Support;

/// The largest values of WORKAROUND_1, _2 and _3 that are true of a core, or of all cores of a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// WORKAROUND_1.
    pub workaround_1: u64,
    /// WORKAROUND_2: 0 or 3.
    pub workaround_2: u64,
    /// WORKAROUND_3.
    pub workaround_3: u64,
}

impl Levels {
    /// Of a core that needs nothing.
    pub const HIGHEST: Self = Self {
        workaround_1: Support::FULL.workaround_1,
        workaround_2: Support::FULL.workaround_2,
        workaround_3: Support::FULL.workaround_3,
    };

    /// The levels that are true of both: larger is more protected, and a VM's worst core counts.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            workaround_1: self.workaround_1.min(other.workaround_1),
            workaround_2: self.workaround_2.min(other.workaround_2),
            workaround_3: self.workaround_3.min(other.workaround_3),
        }
    }

    /// What a board can serve, less what its cores do not have.
    #[must_use]
    pub fn limit(self, support: Support) -> Support {
        Support {
            workaround_1: self.workaround_1.min(support.workaround_1),
            workaround_2: self.workaround_2.min(support.workaround_2),
            workaround_3: self.workaround_3.min(support.workaround_3),
            ..support
        }
    }
}
