//! The port by which a VM serves a disk, as the disk is at its other side.

use portcullis_abi::state::Virtqueue;

use super::{Served, Who};
use crate::devices::owner::Owner;
use crate::links::console::{End, Flow, Jack, Queues};

/// See the module.
pub struct ServerPort(pub &'static Served);

impl ServerPort {
    fn serve(&self, owner: &dyn Owner) {
        self.0.work(Who::Server, owner);
    }
}

impl End for ServerPort {
    fn connect(&self, jack: Jack) {
        self.0.jack.call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        let mut desk = self.0.enter();
        (desk.server, desk.turn) = (queues, self.0.jack().map_or(0, Jack::turn));
    }

    fn stop(&self, flow: Flow) {
        let mut desk = self.0.enter();
        match flow {
            Flow::Transmit => (desk.server.transmit, desk.half) = (None, None),
            Flow::Receive => desk.server.receive = None,
        }
    }

    fn forget(&self, owner: &dyn Owner) {
        let mut desk = self.0.enter();
        self.0.drop_server(&mut desk, owner);
    }

    fn notified(&self, _: Flow, owner: &dyn Owner) {
        self.serve(owner);
    }

    fn mark(&self) {
        self.0.desk.mark(Who::Server as usize);
    }

    fn is_marked(&self) -> bool {
        self.0.desk.is_marked(Who::Server as usize)
    }

    fn work(&self, owner: &dyn Owner) {
        self.serve(owner);
    }

    fn rest(&self) {
        drop(self.0.enter());
    }

    fn save(&self) -> [Option<Virtqueue>; 2] {
        let desk = self.0.enter();
        desk.server.save(desk.half.map(|(head, _)| head))
    }
}
