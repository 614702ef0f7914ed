//! What is at the other side of a port of a pair: the pair.

use alloc::boxed::Box;

use portcullis_abi::state::Virtqueue;
use portcullis_links::serial::{Port, Side};

use super::desk::Ask;
use super::{Owners, SIDES, Serial};
use crate::devices::owner::Owner;
use crate::links::console::{End, Flow, Jack, Queues};

/// A pair, as one of its ports has it.
struct PortEnd {
    serial: &'static Serial,
    side: Side,
}

impl Serial {
    /// The ports that VM `vm` has of it, with what is at their other sides.
    pub(in crate::links) fn ports(&'static self, vm: usize) -> impl Iterator<Item = (Port, &'static dyn End)> {
        let sides = SIDES.into_iter().zip(self.vms).filter(move |(_, of)| *of == vm);
        sides.filter_map(move |(side, _)| {
            let end: &'static PortEnd = Box::leak(Box::new(PortEnd { serial: self, side }));
            Some((Port::new(self.name)?, end as &dyn End))
        })
    }
}

impl PortEnd {
    /// The reasons of its VM to work, one for each direction.
    fn asks(&self) -> [Ask; 2] {
        [self.side, self.side.other()].map(|from| Ask { by: self.side, from })
    }
}

impl End for PortEnd {
    fn connect(&self, jack: Jack) {
        self.serial.place(self.side).call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        let mut desk = self.serial.enter();
        let lane = desk.lane(self.side);
        (lane.queues, lane.turn) = (queues, self.serial.jack(self.side).map_or(0, Jack::turn));
    }

    fn stop(&self, flow: Flow) {
        let mut desk = self.serial.enter();
        let queues = &mut desk.lane(self.side).queues;
        match flow {
            Flow::Transmit => queues.transmit = None,
            Flow::Receive => queues.receive = None,
        }
    }

    fn forget(&self, owner: &dyn Owner) {
        let mut desk = self.serial.enter();
        self.serial.lose(&mut desk, self.side, Owners { side: self.side, owner });
        // What the other end has sent for this one it gets back: it is called.
        let other = self.side.other();
        self.serial.desk.mark(Ask { by: other, from: other }.number());
    }

    fn notified(&self, flow: Flow, owner: &dyn Owner) {
        let from = match flow {
            Flow::Transmit => self.side,
            Flow::Receive => self.side.other(),
        };
        self.serial.work(Ask { by: self.side, from }, owner);
    }

    fn mark(&self) {
        self.asks().into_iter().for_each(|ask| self.serial.desk.mark(ask.number()));
    }

    fn is_marked(&self) -> bool {
        self.asks().into_iter().any(|ask| self.serial.desk.is_marked(ask.number()))
    }

    fn work(&self, owner: &dyn Owner) {
        let marked = self.asks().into_iter().find(|ask| self.serial.desk.is_marked(ask.number()));
        marked.into_iter().for_each(|ask| self.serial.work(ask, owner));
    }

    fn rest(&self) {
        drop(self.serial.enter());
    }

    fn save(&self) -> [Option<Virtqueue>; 2] {
        let mut desk = self.serial.enter();
        let under_way = desk.pair.under_way(self.side);
        desk.lane(self.side).queues.save(under_way)
    }

    fn renew(&self) {
        self.serial.enter().pair.renew(self.side);
    }
}
