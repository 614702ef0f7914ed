//! What whoever moves bytes between two ports has to itself.

use portcullis_links::serial::{Pair, Side};
use portcullis_virtio::Chain;

use crate::links::console::Queues;
use crate::links::report::Copied;
use crate::memory::guest::GuestMemory;

/// A reason to work: who asks for it, and whose bytes are to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Whose VM does the work.
    pub by: Side,
    /// Whose bytes.
    pub from: Side,
}

impl Ask {
    /// Its number, below 4.
    pub const fn number(self) -> usize {
        (self.by as usize).wrapping_mul(2).wrapping_add(self.from as usize)
    }

    /// That with this number.
    pub fn of(number: usize) -> Self {
        let side = |bit| if number & bit == 0 { Side::A } else { Side::B };
        Self { by: side(2), from: side(1) }
    }
}

/// See the module.
pub struct Desk {
    /// Who is open, and what was sent.
    pub pair: Pair,
    a: Lane,
    b: Lane,
    /// A chain of what is sent, and one of who gets it.
    pub source: Chain,
    pub target: Chain,
    /// Bytes that are told of.
    pub copied: Copied,
}

/// A port.
#[derive(Debug, Default)]
pub struct Lane {
    /// Its queues.
    pub queues: Queues,
    /// The memory of its VM as the core reached it that moved bytes last.
    pub memory: Option<GuestMemory>,
    /// How often it was opened and closed, as far as is known here.
    pub turn: u32,
    /// The session of the other end that the console was told last, and the one that the port's driver knows of.
    pub told: Option<u32>,
    pub shown: Option<u32>,
}

impl Desk {
    /// Two ports without drivers.
    pub fn new() -> Self {
        let lane = Lane::default;
        let copied = Copied::default();
        Self { pair: Pair::new(), a: lane(), b: lane(), source: Chain::new(), target: Chain::new(), copied }
    }

    /// The port of one side.
    pub const fn lane(&mut self, side: Side) -> &mut Lane {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// The port of one side, that of the other, and what else is there.
    pub const fn split(&mut self, side: Side) -> (&mut Lane, &mut Lane, &mut Pair, [&mut Chain; 2]) {
        let Self { pair, a, b, source, target, .. } = self;
        let chains = [source, target];
        match side {
            Side::A => (a, b, pair, chains),
            Side::B => (b, a, pair, chains),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_number() {
        let numbers: Vec<usize> = (0..4).map(|number| Ask::of(number).number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
        assert_eq!(Ask::of(1), Ask { by: Side::A, from: Side::B });
    }
}
