//! What is measured of a VM that is saved and restored: as a whole, and piece by piece.

/// What is done with a movable VM, by the number of its test for the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// All of it is saved, in one window.
    Save = 0,
    /// All of it is restored, in one window.
    Restore = 1,
    /// All of it is saved, in a window for each call.
    SavePieces = 2,
    /// All of it is restored, in a window for each call.
    RestorePieces = 3,
}

impl Step {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Save, Self::Restore, Self::SavePieces, Self::RestorePieces];

    /// Tells whether the VM is saved by it.
    pub const fn is_save(self) -> bool {
        matches!(self, Self::Save | Self::SavePieces)
    }

    /// Tells whether each call has a window of its own.
    pub const fn is_of_pieces(self) -> bool {
        matches!(self, Self::SavePieces | Self::RestorePieces)
    }

    /// The number of its test with the movable VM of this number, from 0.
    pub const fn test(self, vm: usize) -> usize {
        self as usize + vm * Self::ALL.len()
    }
}

/// The movable VMs, which are behind the one that measures: MiB of their RAM, and of these the ones that they fill, the last. Their
/// images are below these.
pub const VMS: [(u32, u32); 3] = [(4, 0), (6, 0), (6, 2)];

/// MiB of RAM of the one that measures, the second half of which is for a stream.
pub const MANAGER: u32 = 8;

/// Most bytes of a call.
pub const PIECE: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark;

    #[test]
    fn every_step_with_every_vm_has_a_test_of_its_own() {
        let all: Vec<usize> =
            (0..VMS.len()).flat_map(|vm| Step::ALL.into_iter().map(move |step| step.test(vm))).collect();
        assert!(all.iter().enumerate().all(|(number, test)| number == *test));
        assert!(all.len() < mark::RESTART as usize);
    }

    #[test]
    fn a_stream_fits_where_it_is_kept() {
        assert!(VMS.iter().all(|(memory, filled)| filled + 4 <= *memory && filled + 1 < MANAGER / 2));
    }
}
