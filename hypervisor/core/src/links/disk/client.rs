//! The VM that has a disk, with its driver: what is told whoever does its requests.

use core::fmt;

use portcullis_links::disk::Geometry;
use portcullis_virtio::Fault;
use portcullis_virtio::mmio::Transport;
use spin::Once;

use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::links::registers::{Front, Registers};

/// See the module.
pub struct Client {
    /// The disk's name.
    pub name: &'static str,
    peer: Once<&'static dyn Peer>,
    pub(super) registers: Registers<Shown, 1>,
}

/// What the driver is shown.
pub(super) struct Shown(Geometry);

impl Shown {
    /// What the disk is.
    pub(super) const fn geometry(&self) -> &Geometry {
        &self.0
    }
}

impl Front for Shown {
    type Config = [u8; 60];

    fn config(&self) -> [u8; 60] {
        self.0.config()
    }
}

/// The name of the only queue, as messages have it.
pub(super) const QUEUE: &str = "request queue";

impl Client {
    /// The driver of the disk called `name`, in transport `slot`; the VM is yet to be connected.
    pub(super) fn new(name: &'static str, slot: usize, geometry: Geometry) -> Self {
        let registers = Registers::new(Transport::new(geometry.identity()), slot, Shown(geometry));
        Self { name, peer: Once::new(), registers }
    }

    pub(super) fn connect(&self, peer: Option<&'static dyn Peer>) {
        peer.into_iter().for_each(|peer| _ = self.peer.call_once(|| peer));
    }

    /// The VM.
    pub fn peer(&self) -> Option<&'static dyn Peer> {
        self.peer.get().copied()
    }

    /// Has the VM go on with its work.
    #[inline(never)] // Seldom, and for each way to the disk.
    pub fn call(&self) {
        self.peer().into_iter().for_each(Peer::call);
    }

    /// Takes note that chains were given back to a driver that wants to be interrupted.
    pub fn interrupt(&self, owner: &dyn Owner) {
        self.registers.interrupt(owner);
    }

    /// The driver went against the specification: its device needs a reset. Says so.
    pub fn fail(&self, owner: &dyn Owner, fault: Fault) {
        if let Some(peer) = self.peer() {
            self.registers.fail(peer, owner, self, QUEUE, fault);
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk {}", self.name)
    }
}
