//! The port by which a VM serves a disk, as the disk is at its other side.

use portcullis_abi::state::Virtqueue;

use super::{Client, Served, Who};
use crate::devices::owner::Owner;
use crate::links::console::{End, Flow, Jack, Queues};

/// See the module.
pub struct ServerPort {
    /// The driver of the VM that has the disk.
    pub client: &'static Client,
    /// What it is that is served of it.
    pub served: &'static Served,
}

impl ServerPort {
    fn serve(&self, owner: &dyn Owner) {
        self.served.work(self.client, Who::Server, owner);
    }
}

impl End for ServerPort {
    fn connect(&self, jack: Jack) {
        self.served.jack.call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        self.served.enter().server = queues;
    }

    fn stop(&self, flow: Flow) {
        let mut desk = self.served.enter();
        match flow {
            Flow::Transmit => (desk.server.transmit, desk.half) = (None, None),
            Flow::Receive => desk.server.receive = None,
        }
    }

    fn forget(&self, owner: &dyn Owner) {
        let mut desk = self.served.enter();
        self.served.drop_server(&mut desk, owner);
    }

    fn notified(&self, _: Flow, owner: &dyn Owner) {
        self.serve(owner);
    }

    fn mark(&self) {
        self.served.desk.mark(Who::Server as usize);
    }

    fn is_marked(&self) -> bool {
        self.served.desk.is_marked(Who::Server as usize)
    }

    fn work(&self, owner: &dyn Owner) {
        self.serve(owner);
    }

    fn rest(&self) {
        drop(self.served.enter());
    }

    fn save(&self) -> [Option<Virtqueue>; 2] {
        let desk = self.served.enter();
        desk.server.save(desk.half.map(|(head, _)| head))
    }
}
