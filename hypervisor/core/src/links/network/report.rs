//! What there is to know of a network.

use portcullis_abi::manage;
use portcullis_links::network::{Dropped, Mac};

use super::{Desk, Network};
use crate::links::report::{End, Link};

const _: () = assert!(manage::NETWORK_COUNTERS.len() == FIRST_REASON + Dropped::COUNT);

/// Where the counters of dropped frames begin.
const FIRST_REASON: usize = 7;

impl Link for Network {
    fn kind(&self) -> u64 {
        manage::LINK_NETWORK
    }

    fn name(&self) -> &'static str {
        self.config.name
    }

    fn ends(&self) -> usize {
        self.ports.len()
    }

    fn end(&self, end: usize) -> Option<End> {
        let port = self.ports.get(end)?;
        let Mac([a, b, c, d, e, f]) = self.switch.address(end)?;
        let up = port.peer().is_some_and(|peer| port.is_up(peer));
        let about = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]);
        Some(End { vm: port.vm, up, about, intid: port.registers.intid() })
    }

    fn counter(&self, end: usize, index: usize) -> Option<u64> {
        let signals = self.ports.get(end)?.registers.signals();
        let counters = self.counters(end)?;
        let first = [
            counters.sent,
            counters.sent_bytes,
            counters.received,
            counters.received_bytes,
            counters.copies,
            signals.notifications,
            signals.interrupts,
        ];
        const _: () = assert!(FIRST_REASON == 7, "as many as stand in front of the reasons");
        first.iter().chain(&counters.dropped).nth(index).copied()
    }

    fn has(&self, vm: usize) -> bool {
        self.has(vm)
    }

    fn take_copied(&self) -> u64 {
        let Desk { traffic, copied, .. } = &mut *self.enter();
        let received = traffic.iter().map(|traffic| traffic.counters.received_bytes);
        copied.take(received.fold(0, u64::wrapping_add))
    }
}
