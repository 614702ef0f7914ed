//! A pair of which one direction is looked at.

use portcullis_links::serial::{Broken, Pair, Progress, Side};
use portcullis_virtio::Budget;

use crate::bed::Line;

/// One direction of a pair, from A to B, and what B's driver was told.
pub struct Bed {
    pub pair: Pair,
    pub a: Line,
    pub b: Line,
    pub shown: Option<u32>,
}

impl Bed {
    pub fn new() -> Self {
        Self { pair: Pair::new(), a: Line::new(), b: Line::new(), shown: None }
    }

    /// Both ends open.
    pub fn open() -> Self {
        let mut bed = Self::new();
        bed.pair.open(Side::A);
        bed.pair.open(Side::B);
        bed.shown = bed.pair.session(Side::B);
        bed
    }

    pub fn work(&mut self) -> Result<Progress, Broken> {
        let Self { pair, a, b, shown } = self;
        pair.work(Side::A, *shown, &mut a.flow(), Some(&mut b.flow()), &mut Budget::new())
    }

    /// Works until there is nothing to do; B's driver is told at once. Returns how many sessions it saw end.
    pub fn settle(&mut self) -> usize {
        let mut turns = 0;
        loop {
            match self.work().unwrap() {
                Progress::Idle(_) => {
                    self.shown = self.pair.session(Side::B);
                    return turns;
                }
                Progress::More => {}
                Progress::Turned => {
                    turns += 1;
                    self.shown = self.pair.session(Side::B);
                }
            }
        }
    }

    pub fn close_a(&mut self) {
        let sent = self.a.queue.end(&mut self.a.ram).unwrap();
        self.pair.close(Side::A, sent, 0);
    }

    pub fn close_b(&mut self) {
        let waiting = self.a.queue.end(&mut self.a.ram).unwrap();
        self.pair.close(Side::B, 0, waiting);
    }

    pub fn got(&mut self) -> Vec<u8> {
        std::iter::from_fn(|| self.b.got()).flatten().collect()
    }
}
