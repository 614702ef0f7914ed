//! A port of a network, as its VM sees it.

use portcullis_abi::state::{Unfit, Virtqueue};
use portcullis_links::network::{GUEST_ANNOUNCE, Port as Shown, QUEUES, control};
use portcullis_virtio::mmio::Transport;
use portcullis_virtio::{Chain, Fault, Queue};
use spin::Once;

use super::{NetworkConfig, PortConfig};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::links::registers::{Front, Registers};

/// A port.
pub struct Port {
    /// The number of its VM.
    pub vm: usize,
    /// The slot of its transport.
    pub slot: usize,
    peer: Once<&'static dyn Peer>,
    pub(super) registers: Registers<Driven, QUEUES>,
}

/// What its driver is shown, and tells it.
pub struct Driven {
    port: Shown,
    /// The control queue, if its driver uses it.
    control: Option<Queue>,
    chain: Chain,
    /// Its VM was restored, and has yet to go on.
    restored: bool,
}

impl Driven {
    /// What its driver was told, and how far the control queue is.
    pub(super) fn save(&self) -> (u32, Option<Virtqueue>) {
        (self.port.save(), self.control.as_ref().map(Queue::save))
    }

    /// Takes on what its driver was told.
    pub(super) fn restore(&mut self, status: u32) -> Result<(), Unfit> {
        self.port.restore(status)?;
        self.restored = true;
        Ok(())
    }

    /// Takes over a control queue that was restored.
    pub(super) fn take_over(&mut self, control: Option<Queue>) {
        self.control = control;
    }
}

impl Front for Driven {
    type Config = [u8; 12];

    fn config(&self) -> [u8; 12] {
        self.port.config()
    }
}

impl Port {
    /// A port whose VM is yet to be connected.
    pub(super) fn new(config: &PortConfig, network: NetworkConfig) -> Self {
        let driven =
            Driven { port: Shown::new(config.mac, network.mtu), control: None, chain: Chain::new(), restored: false };
        let transport = Transport::new(Shown::identity(network.segmentation));
        let registers = Registers::new(transport, config.slot, driven);
        Self { vm: config.vm, slot: config.slot, peer: Once::new(), registers }
    }

    pub(super) fn connect(&self, peer: Option<&'static dyn Peer>) {
        peer.into_iter().for_each(|peer| _ = self.peer.call_once(|| peer));
    }

    /// Its VM.
    pub(super) fn peer(&self) -> Option<&'static dyn Peer> {
        self.peer.get().copied()
    }

    /// Whether its link is up.
    pub(super) fn is_up(&self, owner: &dyn Owner) -> bool {
        self.registers.with(owner, |_, driven| driven.port.is_up())
    }

    /// Sets its link. A driver in use is told if that is new.
    pub(super) fn set_link(&self, owner: &dyn Owner, up: bool) {
        self.registers.with(owner, |transport, driven| {
            if driven.port.set_link(up) {
                transport.changed();
            }
        });
    }

    /// The VM goes on. If it was restored, its driver is asked to say where it is now: others may know it at another port.
    pub(super) fn resume(&self, owner: &dyn Owner) {
        self.registers.with(owner, |transport, driven| {
            let asks = core::mem::take(&mut driven.restored) && transport.accepted() & GUEST_ANNOUNCE != 0;
            if asks && driven.port.announce() {
                transport.changed();
            }
        });
    }

    /// Has, or has no more, a control queue.
    pub(super) fn set_control(&self, owner: &dyn Owner, queue: Option<Queue>) {
        self.registers.with(owner, |_, driven| driven.control = queue);
    }

    /// Uses up the control queue: drivers wait for that under a lock. It takes no longer than a piece of work, as commands are
    /// short and the queue has few.
    ///
    /// # Errors
    ///
    /// [`Fault`] of its driver.
    pub(super) fn control(&self, peer: &dyn Peer, owner: &dyn Owner) -> Result<(), Fault> {
        let Some(mut memory) = peer.memory() else { return Ok(()) };
        self.registers.with(owner, |transport, Driven { port, control, chain, .. }| {
            let Some(queue) = control else { return Ok(()) };
            let end = queue.end(&mut memory)?;
            while queue.position() != end && control::serve(port, queue, &mut memory, chain)? {}
            if queue.publish(&mut memory)? {
                transport.used();
            }
            // What came meanwhile was notified, or is notified from here on.
            queue.listen(&mut memory).map(drop)
        })
    }

    /// Its driver begins anew: forgets what that has set up.
    pub(super) fn finish_reset(&self, owner: &dyn Owner) {
        self.registers.with(owner, |transport, driven| {
            (driven.control, driven.restored) = (None, false);
            driven.port.restart();
            transport.finish_reset();
        });
    }
}
