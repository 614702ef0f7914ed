//! Runs of pages that are alike: blank ones, which are only told, and others.

use crate::layout::{PAGE, RUN};

/// Pages that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alike {
    /// How many.
    pub pages: u64,
    /// Nothing but zeros, or erased cells of flash.
    pub is_blank: bool,
}

/// A run of memory in the making.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRun {
    /// Bytes from the beginning of the memory.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Nothing but zeros, or erased cells of flash.
    pub is_blank: bool,
}

impl PageRun {
    /// The run in front of the first page.
    pub const NONE: Self = Self { start: 0, end: 0, is_blank: false };

    /// Returns its bytes.
    pub const fn length(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Returns how many pages that are not blank can be taken in at once.
    pub const fn others(&self) -> u64 {
        match (RUN.saturating_sub(self.length())) / PAGE {
            _ if self.is_blank => RUN / PAGE,
            0 => RUN / PAGE,
            left => left,
        }
    }

    /// Takes in the pages behind it, no more than [`others`](Self::others) if they are not blank. Some: they belong to another run,
    /// which it now is the beginning of, and this is the one that has ended.
    pub fn add(&mut self, Alike { pages, is_blank }: Alike) -> Option<Self> {
        let has_room = is_blank || self.length() < RUN;
        let before = *self;
        self.end = self.end.saturating_add(pages.saturating_mul(PAGE));
        if before.length() == 0 || self.is_blank == is_blank && has_room {
            self.is_blank = is_blank;
            return None;
        }
        (self.start, self.is_blank) = (before.end, is_blank);
        Some(before)
    }

    /// Ends it, so that the page behind it begins another one. Some: it had pages.
    pub fn finish(&mut self) -> Option<Self> {
        let before = *self;
        self.start = self.end;
        (before.length() != 0).then_some(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Start, pages and kind of each run of these pages.
    fn runs(pages: &[bool]) -> Vec<(u64, u64, bool)> {
        let mut run = PageRun::NONE;
        let one = |is_blank: &bool| Alike { pages: 1, is_blank: *is_blank };
        let mut all: Vec<_> = pages.iter().filter_map(|is_blank| run.add(one(is_blank))).collect();
        all.extend(run.finish());
        assert_eq!(run.finish(), None);
        all.iter().map(|run| (run.start / PAGE, run.length() / PAGE, run.is_blank)).collect()
    }

    #[test]
    fn runs_are_as_long_as_they_can_be() {
        assert_eq!(runs(&[]), []);
        assert_eq!(runs(&[true, true, false, true]), [(0, 2, true), (2, 1, false), (3, 1, true)]);
        assert_eq!(runs(&[false; 17]), [(0, 8, false), (8, 8, false), (16, 1, false)]);
        assert_eq!(runs(&[true; 1000]), [(0, 1000, true)]);
        let mixed: Vec<_> = (0..9).map(|page| page == 8).collect();
        assert_eq!(runs(&mixed), [(0, 8, false), (8, 1, true)]);
    }

    #[test]
    fn no_run_that_is_sent_is_longer_than_one_may_be() {
        let mut run = PageRun::NONE;
        let mut take = |pages, is_blank| {
            let most = run.others();
            let ended = run.add(Alike { pages: if is_blank { pages } else { most.min(pages) }, is_blank });
            (most, ended.map(|run| run.length() / PAGE))
        };
        assert_eq!([take(5, false), take(5, false), take(9, false)], [(8, None), (3, None), (8, Some(8))]);
        assert_eq!([take(600, true), take(20, true), take(3, false)], [(8, Some(8)), (8, None), (8, Some(620))]);
    }
}
