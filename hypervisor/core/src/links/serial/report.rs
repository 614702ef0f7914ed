//! What there is to know of a pair of serial ports.

use portcullis_abi::manage;

use super::{SIDES, Serial};
use crate::links::report::{End, Link};

impl Link for Serial {
    fn kind(&self) -> u64 {
        manage::LINK_SERIAL
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn ends(&self) -> usize {
        SIDES.len()
    }

    fn end(&self, end: usize) -> Option<End> {
        let (side, vm) = (*SIDES.get(end)?, *self.vms.get(end)?);
        Some(End { vm, up: self.peer(side).is_some_and(|peer| peer.runs()), about: 0, intid: 0 })
    }

    fn counter(&self, end: usize, index: usize) -> Option<u64> {
        let counters = self.counters(*SIDES.get(end)?);
        [counters.sent, counters.dropped, counters.sessions].get(index).copied()
    }
}
