//! A disk of a VM (virtio-blk), whose bytes EL2 has: in the bundle, or in RAM that was set aside.

mod plug;
mod report;
mod store;

use core::fmt;

use portcullis_board::Regions;
use portcullis_bundle::links as bundle;
use portcullis_links::disk::{Geometry, Local, Progress};
use portcullis_virtio::mmio::Transport;
use portcullis_virtio::{Budget, Fault, Queue};
use spin::Once;

pub use self::plug::Plug;
use self::store::Scratch;
pub use self::store::{DiskError, Store};
use super::peer::Peer;
use super::registers::{Front, Registers};
use super::work::Work;
use crate::devices::owner::Owner;
use crate::memory::guest::GuestMemory;

/// A disk.
pub struct Disk {
    name: &'static str,
    /// The number of the VM that has it.
    pub vm: usize,
    /// The slot of its transport.
    pub slot: usize,
    bytes: u64,
    peer: Once<&'static dyn Peer>,
    registers: Registers<Shown, 1>,
    desk: Work<Desk>,
}

/// What its driver is shown.
struct Shown(Geometry);

impl Front for Shown {
    type Config = [u8; 60];

    fn config(&self) -> [u8; 60] {
        self.0.config()
    }
}

/// What whoever does requests has to itself.
struct Desk {
    /// The requests; none: its driver makes none.
    queue: Option<Queue>,
    local: Local,
    store: Store,
    /// Bytes that are set to zero already, of a disk that is made anew.
    cleared: u64,
}

/// The only end that has work at a disk.
const CLIENT: usize = 0;

impl Disk {
    /// The disk that the bundle has; RAM comes out of what is `free`, on core `core`, on which this has to run.
    ///
    /// # Errors
    ///
    /// [`DiskError`].
    pub fn of(disk: &bundle::Disk<'static>, free: &mut Regions, core: usize) -> Result<Self, DiskError> {
        let store = match disk.source {
            bundle::Source::Image(bytes) => Store::Image(bytes),
            bundle::Source::Scratch(size) => Store::Scratch(Scratch::take(disk.name, size, free, core)?),
            bundle::Source::Served(_) => return Err(DiskError::Served(disk.name)),
        };
        let read_only = matches!(store, Store::Image(_));
        let geometry = Geometry::new(disk.name, disk.size(), disk.block, read_only);
        let geometry = geometry.ok_or(DiskError::Geometry(disk.name))?;
        let registers = Registers::new(Transport::new(geometry.identity()), disk.slot, Shown(geometry));
        let desk = Desk { queue: None, local: Local::new(geometry), store, cleared: 0 };
        let (name, vm, slot) = (disk.name, disk.vm, disk.slot);
        Ok(Self { name, vm, slot, bytes: disk.size(), peer: Once::new(), registers, desk: Work::new(desk) })
    }

    /// Says which VM has which number.
    pub(super) fn connect(&self, peer: impl Fn(usize) -> Option<&'static dyn Peer>) {
        peer(self.vm).into_iter().for_each(|peer| _ = self.peer.call_once(|| peer));
    }

    fn peer(&self) -> Option<&'static dyn Peer> {
        self.peer.get().copied()
    }

    /// Does requests of its driver, whose VM `owner` is: a piece of that.
    fn serve(&self, owner: &dyn Owner) {
        let Some(peer) = self.peer() else { return };
        self.desk.work(CLIENT, |desk, _| self.piece(desk, peer, owner), |_| peer.call());
    }

    /// A piece of work. Returns whether there is more.
    fn piece(&self, desk: &mut Desk, peer: &dyn Peer, owner: &dyn Owner) -> bool {
        let Some(mut memory) = peer.memory().filter(|_| peer.runs()) else { return false };
        let Some(mut queue) = desk.queue.take() else { return false };
        let done = desk.requests(&mut queue, &mut memory);
        let shown = done.and_then(|more| queue.publish(&mut memory).map(|interrupts| (more, interrupts)));
        match shown {
            Ok((more, interrupts)) => {
                if interrupts {
                    self.registers.interrupt(owner);
                }
                desk.queue = Some(queue);
                more
            }
            Err(fault) => {
                desk.local.reset();
                self.registers.fail(peer, owner, self, QUEUE, fault);
                false
            }
        }
    }
}

/// The name of its queue, as messages have it.
const QUEUE: &str = "request queue";

impl Desk {
    /// Does requests until there is none, or the budget is spent. Returns whether there may be more.
    fn requests(&mut self, queue: &mut Queue, memory: &mut GuestMemory) -> Result<bool, Fault> {
        let Self { local, store, .. } = self;
        let mut budget = Budget::new();
        queue.silence(memory)?;
        loop {
            match local.work(queue, memory, store, &mut budget)? {
                Progress::More => return Ok(true),
                // What came meanwhile was not notified.
                Progress::Idle if queue.listen(memory)? => {}
                Progress::Idle => return Ok(false),
            }
        }
    }
}

impl fmt::Display for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "disk {}", self.name)
    }
}
