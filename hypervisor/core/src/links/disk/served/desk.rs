//! What whoever works at a served disk has to itself.

use alloc::boxed::Box;

use portcullis_links::disk::Served as Requests;
use portcullis_links::serial::ServerEnd;
use portcullis_virtio::{Chain, Queue};

use crate::links::console::Queues;
use crate::memory::guest::GuestMemory;

/// See the module.
pub struct Desk {
    /// The requests, and the connection to the server.
    pub requests: Requests,
    /// By who works, on a core of its own: what a piece reaches both VMs by. Not here while one is done.
    pub kept: Option<Box<[Kept; 2]>>,
    /// The driver's queue; none: it makes no requests.
    pub client: Option<Queue>,
    /// The queues of the server's port.
    pub server: Queues,
    /// EL2's end of the port.
    pub end: ServerEnd,
    /// How often its port was opened and closed, as far as is known here.
    pub turn: u32,
    /// The session that the console was told of last, and the one that the port's driver knows of.
    pub told: Option<u32>,
    pub shown: Option<u32>,
    /// What the server has sent before this index belongs to a connection that is over.
    pub stale: Option<u16>,
    /// A chain of the server's that was not taken in as a whole: its head, and bytes of it that were.
    pub half: Option<(u16, u32)>,
    /// A program has the port open, and its connection is yet to begin.
    pub opened: bool,
    /// Since when the driver's VM stands still.
    pub rested: Option<u64>,
    /// Since when the VM, which stands still, waits for the requests to come to their end that the server has.
    pub drains: Option<u64>,
    /// A chain of the driver's, and one of the server's.
    pub request: Chain,
    pub buffer: Chain,
}

/// The memory of both VMs as the core reached it that moved bytes last.
#[derive(Debug, Default)]
pub struct Kept {
    /// That of the driver.
    pub client: Option<GuestMemory>,
    /// That of the server.
    pub server: Option<GuestMemory>,
}

impl Desk {
    /// A disk whose driver and server are not there yet.
    pub fn new(requests: Requests) -> Self {
        Self {
            requests,
            kept: Some(Box::default()),
            client: None,
            server: Queues::default(),
            end: ServerEnd::new(),
            turn: 0,
            told: None,
            shown: None,
            stale: None,
            half: None,
            opened: false,
            rested: None,
            drains: None,
            request: Chain::new(),
            buffer: Chain::new(),
        }
    }

    /// The connection to the server is over: requests wait for the next one.
    pub fn lose(&mut self) {
        self.opened = false;
        self.requests.close();
    }
}
