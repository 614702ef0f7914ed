//! A cyclic schedule: windows of time that come again in every frame, each for one VM (ARINC 653, "partition windows").

use alloc::boxed::Box;

/// A stretch of the frame that belongs to a VM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Number of the VM.
    pub vm: usize,
    /// Where it begins, in ticks from the beginning of the frame.
    pub start: u64,
    /// How long it is, in ticks.
    pub length: u64,
}

/// The windows of one core. Frames begin where the physical counter is a multiple of their length, on every core alike.
#[derive(Clone, Debug)]
pub struct Windows {
    frame: u64,
    windows: Box<[Window]>,
    background: u32,
}

/// Who may run at a moment, and until when that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The VM whose window it is.
    pub owner: Option<usize>,
    /// VMs that may use what the owner leaves, a bit each.
    pub background: u32,
    /// Physical counter when this ends.
    pub ends: u64,
}

impl Windows {
    /// Windows in frames of `frame` ticks. They must be in ascending order, not overlap, and end within the frame, as those of
    /// a bundle do. `background`: VMs that may run when no window's owner does, a bit each.
    pub fn new(frame: u64, windows: Box<[Window]>, background: u32) -> Self {
        Self { frame: frame.max(1), windows, background }
    }

    /// What holds when the physical counter stands at `now`.
    pub fn at(&self, now: u64) -> Slot {
        let offset = now % self.frame;
        let begin = now.wrapping_sub(offset);
        let (mut owner, mut ends) = (None, self.frame);
        for window in &self.windows {
            if offset < window.start {
                ends = window.start;
                break;
            }
            let end = window.start.saturating_add(window.length);
            if offset < end {
                (owner, ends) = (Some(window.vm), end);
                break;
            }
        }
        Slot { owner, background: self.background, ends: begin.saturating_add(ends) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: u64 = 1000;

    fn windows() -> Windows {
        let window = |vm, start, length| Window { vm, start, length };
        Windows::new(FRAME, [window(3, 0, 200), window(1, 500, 300)].into(), 0b10)
    }

    #[test]
    fn every_moment_has_its_slot() {
        let windows = windows();
        for frame in [0, 7 * FRAME] {
            let at = |offset| {
                let slot = windows.at(frame + offset);
                (slot.owner, slot.ends - frame)
            };
            assert_eq!([at(0), at(199)], [(Some(3), 200); 2]);
            assert_eq!([at(200), at(499)], [(None, 500); 2]);
            assert_eq!([at(500), at(799)], [(Some(1), 800); 2]);
            assert_eq!([at(800), at(999)], [(None, FRAME); 2]);
        }
    }

    #[test]
    fn each_slot_ends_after_it_began() {
        let windows = windows();
        let mut now = 0;
        let mut owners = std::vec::Vec::new();
        while now < 2 * FRAME {
            let slot = windows.at(now);
            assert!(slot.ends > now);
            owners.push(slot.owner);
            now = slot.ends;
        }
        assert_eq!(owners, [Some(3), None, Some(1), None, Some(3), None, Some(1), None]);
    }

    #[test]
    fn a_frame_without_windows_is_all_background() {
        let windows = Windows::new(FRAME, [].into(), 0b100);
        assert_eq!(windows.at(1234), Slot { owner: None, background: 0b100, ends: 2000 });
    }
}
