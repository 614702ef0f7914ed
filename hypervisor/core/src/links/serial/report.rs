//! What there is to know of a pair of serial ports.

use portcullis_abi::manage;

use super::{SIDES, Serial};
use crate::links::console::Jack;
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
        let (up, intid) = (self.peer(side).is_some_and(|peer| peer.runs()), self.jack(side).map_or(0, Jack::intid));
        Some(End { vm, up, about: 0, intid })
    }

    fn counter(&self, end: usize, index: usize) -> Option<u64> {
        let side = *SIDES.get(end)?;
        let (counters, signals) = (self.counters(side), self.jack(side).map(Jack::signals).unwrap_or_default());
        let all = [counters.sent, counters.dropped, counters.sessions, signals.notifications, signals.interrupts];
        all.get(index).copied()
    }

    fn has(&self, vm: usize) -> bool {
        self.vms.contains(&vm)
    }

    fn take_copied(&self) -> u64 {
        let mut desk = self.enter();
        let sent = SIDES.map(|side| desk.pair.counters(side).sent);
        desk.copied.take(sent.into_iter().fold(0, u64::wrapping_add))
    }
}
