//! What is done with the requests of a disk whose bytes EL2 has.

use portcullis_abi::state::Virtqueue;
use portcullis_arch::checksum::Pieces;
use portcullis_links::disk::{Geometry, Local, Progress};
use portcullis_virtio::{Budget, Fault, Queue};

use super::Store;
use super::client::Client;
use crate::devices::owner::Owner;
use crate::links::backplane::Ready;
use crate::links::peer::Peer;
use crate::links::work::{Rest, Work};
use crate::memory::guest::{GuestMemory, Hold};

/// The requests, and the bytes.
pub struct Own {
    client: &'static Client,
    desk: Work<Desk>,
}

/// What whoever does requests has to itself.
struct Desk {
    /// The requests; none: its driver makes none.
    queue: Option<Queue>,
    local: Local,
    store: Store,
    /// The VM's memory as the core reached it that did requests last.
    memory: Option<GuestMemory>,
    /// Bytes that are set to zero already, of a disk that is made anew.
    cleared: u64,
    /// The checksum of an image.
    sum: Pieces,
    /// What it holds is of a VM that was not restored as a whole.
    stale: bool,
}

/// The only end that has work at a disk.
const CLIENT: usize = 0;

impl Own {
    /// A disk of `client`, whose driver is not there yet.
    pub fn new(client: &'static Client, disk: Geometry, store: Store) -> Self {
        let desk = Desk {
            queue: None,
            local: Local::new(disk),
            store,
            memory: None,
            cleared: 0,
            sum: Pieces::new(),
            stale: false,
        };
        Self { client, desk: Work::new(desk) }
    }

    /// The disk at rest: nobody does requests meanwhile.
    fn enter(&self) -> Rest<'_, Desk, impl Fn(usize)> {
        self.desk.enter(|_| self.client.call())
    }

    /// Keeps everybody from doing requests until the result is dropped.
    #[cfg(test)]
    pub fn busy(&self) -> impl Sized + '_ {
        self.enter()
    }

    /// Does a piece of the requests of the driver, which is `client` and has been looked up already, of the VM that `owner` is.
    pub fn serve(&self, client: &Client, owner: &dyn Owner) {
        let Some(peer) = client.peer() else { return };
        self.desk.work(CLIENT, |desk, _| desk.piece(client, peer, owner), |_| peer.call());
    }

    /// The driver has set up its queue, or does not use it any more.
    pub fn set_queue(&self, queue: Option<Queue>) {
        let mut desk = self.enter();
        desk.queue = queue;
        desk.local.reset();
    }

    /// Notes that there may be requests.
    pub fn mark(&self) {
        self.desk.mark(CLIENT);
    }

    /// Whether there may be requests that nobody does.
    pub fn is_marked(&self) -> bool {
        self.desk.is_marked(CLIENT)
    }

    /// Returns when no core does requests.
    pub fn rest(&self) {
        drop(self.enter());
    }

    /// Sets a piece of what is kept to zero, `most` bytes at the most. Returns whether there may be more.
    pub fn scrub(&self, most: u64) -> bool {
        let desk = &mut *self.enter();
        let done = desk.store.clear(desk.cleared, most);
        desk.cleared = desk.cleared.saturating_add(done);
        done != 0
    }

    /// All of it is zero.
    pub fn renew(&self) {
        let desk = &mut *self.enter();
        (desk.cleared, desk.stale) = (0, false);
    }

    /// The VM is loaded: sets a piece of what somebody has begun to restore to zero. Returns whether there may be more.
    pub fn load(&self, most: u64) -> bool {
        if !self.enter().stale {
            return false;
        }
        if self.scrub(most) {
            return true;
        }
        self.renew();
        false
    }

    /// Takes another piece of an image into its checksum, `most` bytes at the most.
    pub fn sum_up(&self, most: usize) -> Ready {
        let Desk { store, sum, .. } = &mut *self.enter();
        let Store::Image(bytes) = store else { return Ready::Yes };
        if sum.take_in(bytes, most) { Ready::Yes } else { Ready::Later }
    }

    /// The checksum of an image, which was worked out as a whole; none of anything else.
    pub fn image_sum(&self) -> Option<u32> {
        let desk = self.enter();
        matches!(desk.store, Store::Image(_)).then_some(desk.sum.finish())
    }

    /// Bytes that were copied since this was asked last.
    pub fn take_copied(&self) -> u64 {
        self.enter().local.take_moved()
    }

    /// How far the queue is. A request that is half done is done from its beginning once more.
    pub fn save(&self) -> Option<Virtqueue> {
        self.enter().queue.as_ref().map(Queue::save)
    }

    /// Takes over a queue that was restored, and does what was taken of it once more.
    pub fn restore(&self, queue: Option<Queue>) {
        let mut desk = self.enter();
        desk.queue = queue;
        desk.local.reset();
        desk.local.resume();
    }

    /// What it holds, as this core reaches it, and how many bytes in whole pages; none of what is not sent.
    pub fn contents(&self) -> Option<(GuestMemory, u64)> {
        self.enter().store.contents()
    }

    /// What it holds is restored, or was as a whole.
    pub fn set_stale(&self, stale: bool) {
        let desk = &mut *self.enter();
        (desk.stale, desk.cleared) = (stale, 0);
    }
}

impl Desk {
    /// A piece of work. Returns whether there is more.
    fn piece(&mut self, client: &Client, peer: &dyn Peer, owner: &dyn Owner) -> bool {
        let Self { queue: place, local, store, memory, .. } = self;
        let Some((queue, memory)) = place.as_mut().and_then(|queue| Some((queue, peer.reach(memory)?))) else {
            return false;
        };
        memory.hold(Hold::First, queue.rings());
        let done = requests(local, store, queue, memory);
        match done.and_then(|more| queue.publish(memory).map(|interrupts| (more, interrupts))) {
            Ok((more, interrupts)) => {
                if interrupts {
                    client.interrupt(owner);
                }
                more
            }
            Err(fault) => {
                *place = None;
                local.reset();
                client.fail(owner, fault);
                false
            }
        }
    }
}

/// Does requests until there is none, or the budget is spent. Returns whether there may be more.
fn requests(local: &mut Local, store: &mut Store, queue: &mut Queue, memory: &mut GuestMemory) -> Result<bool, Fault> {
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
