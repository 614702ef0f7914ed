//! A disk that another VM serves: its driver's requests go, as an NBD client's, over a port of that VM's console. Both VMs have
//! work at it, and whoever has some does what there is for both.

mod desk;
mod piece;
mod port;

use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use portcullis_abi::state::Virtqueue;
use portcullis_arch::timer;
use portcullis_links::disk::Served as Requests;
use portcullis_virtio::Queue;
use spin::Once;

use self::desk::Desk;
pub use self::port::ServerPort;
use super::client::Client;
use crate::cpu::deadlines::{NEVER, Timer};
use crate::cpu::physical_core::Core;
use crate::devices::owner::Owner;
use crate::links::backplane::{NotSaved, Ready};
use crate::links::console::Jack;
use crate::links::peer::Peer;
use crate::links::work::{Rest, Work};

/// See the module.
pub struct Served {
    /// The driver of the VM that has the disk.
    client: &'static Client,
    /// The number of the VM that serves it.
    pub server: usize,
    jack: Once<Jack>,
    desk: Work<Desk>,
    alarm: Alarm,
}

/// Who has work at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    /// The VM that has the disk.
    Client = 0,
    /// The VM that serves it.
    Server = 1,
}

/// When a core looks whether the time of requests is over.
struct Alarm {
    /// By the physical counter; [`NEVER`]: none does.
    at: AtomicU64,
    core: AtomicUsize,
}

impl Served {
    /// A disk of `client`, whose driver is not there yet, nor is its server.
    pub fn new(client: &'static Client, server: usize, requests: Requests) -> Self {
        let alarm = Alarm { at: AtomicU64::new(NEVER), core: AtomicUsize::new(0) };
        Self { client, server, jack: Once::new(), desk: Work::new(Desk::new(requests)), alarm }
    }

    fn jack(&self) -> Option<Jack> {
        self.jack.get().copied()
    }

    fn server_peer(&self) -> Option<&'static dyn Peer> {
        self.jack().and_then(Jack::peer)
    }

    /// The disk at rest: nobody works at it meanwhile.
    pub(super) fn enter(&self) -> Rest<'_, Desk, impl Fn(usize)> {
        self.desk.enter(|who| self.call(who))
    }

    /// Has the VM go on that [`Who`] with the number `who` is.
    #[inline(never)] // Seldom, and for each way to the disk.
    fn call(&self, who: usize) {
        let peer = if who == Who::Client as usize { self.client.peer() } else { self.server_peer() };
        peer.into_iter().for_each(Peer::call);
    }

    /// Does a piece of work because its driver asks for something, whose VM `owner` is.
    pub fn serve_client(&self, owner: &dyn Owner) {
        self.work(Who::Client, owner);
    }

    fn work(&self, who: Who, owner: &dyn Owner) {
        let owners = Owners { who, owner };
        self.desk.work(who as usize, |desk, _| self.piece(desk, self.client, owners), |who| self.call(who));
    }

    /// The driver has set up its queue, or does not use it any more.
    pub fn set_queue(&self, queue: Option<Queue>, owner: &dyn Owner) {
        let mut desk = self.enter();
        let owners = Owners { who: Who::Client, owner };
        self.drop_client(&mut desk, owners);
        (desk.client, desk.drains) = (queue, None);
        // A connection may be agreed on by now: the VM is called.
        self.desk.mark(Who::Client as usize);
    }

    /// Whether the VM that has the disk has work that nobody does.
    pub fn is_marked(&self) -> bool {
        self.desk.is_marked(Who::Client as usize)
    }

    /// Returns when nobody touches the queue of the driver, whose VM does not run any more.
    pub fn rest(&self) {
        self.enter().rested = Some(timer::count());
    }

    /// The VM that has the disk goes on after it stood still.
    pub fn resume(&self) {
        let mut desk = self.enter();
        desk.drains = None;
        if let Some(since) = desk.rested.take() {
            desk.requests.postpone(timer::count().saturating_sub(since));
        }
        self.desk.mark(Who::Client as usize);
    }

    /// Has requests that the server has come to their end, of a VM that stands still. They may take as long as ever; then the VM is
    /// not saved.
    pub fn drain(&self) -> Ready {
        let now = timer::count();
        let mut desk = self.enter();
        if desk.requests.client().deadline().is_none() {
            desk.drains = None;
            return Ready::Yes;
        }
        let since = *desk.drains.get_or_insert(now);
        if now.saturating_sub(since) > desk.requests.timeout() {
            desk.drains = None;
            return Ready::No(NotSaved::Waits(self.client.name));
        }
        // The VM that has the disk does no work: the other one is called.
        self.desk.mark(Who::Server as usize);
        Ready::Later
    }

    /// Bytes that were copied since this was asked last.
    pub fn take_copied(&self) -> u64 {
        self.enter().requests.take_moved()
    }

    /// How far the driver's queue is.
    pub fn save(&self) -> Option<Virtqueue> {
        self.enter().client.as_ref().map(Queue::save)
    }

    /// Takes over the driver's queue, which was restored. What was taken of it is asked of the server once more.
    pub fn restore(&self, queue: Option<Queue>) {
        let mut desk = self.enter();
        desk.client = queue;
        desk.requests.resume();
    }

    /// Has the core on which this runs look when the next request's time is over, unless one looks before.
    fn set_alarm(&self, at: Option<u64>) {
        let Some((at, here)) = at.zip(Core::current()) else { return };
        if at < self.alarm.at.load(Ordering::Relaxed) {
            self.alarm.core.store(here.index, Ordering::Relaxed);
            self.alarm.at.store(at, Ordering::Release);
            here.arm_by(Timer::Device, at);
        }
    }

    /// The timer of core `core` has fired: has the VM give requests up whose time is over, if that is what it was set for. Returns
    /// when it is to fire for the disk.
    pub fn look(&self, core: usize) -> Option<u64> {
        let at = self.alarm.at.load(Ordering::Acquire);
        if at == NEVER || self.alarm.core.load(Ordering::Relaxed) != core {
            return None;
        }
        if timer::count() < at {
            return Some(at);
        }
        // The request for which it was set may have been answered. Whoever works at the disk sets it; none does meanwhile.
        let desk = self.enter();
        let next = desk.requests.client().deadline();
        let later = next.filter(|next| timer::count() < *next);
        self.alarm.at.store(later.unwrap_or(NEVER), Ordering::Release);
        if next.is_some() && later.is_none() {
            // The VM is called behind this.
            self.desk.mark(Who::Client as usize);
        }
        later
    }
}

/// The VMs of both ends, for who works for that of one.
#[derive(Clone, Copy)]
struct Owners<'a> {
    who: Who,
    owner: &'a dyn Owner,
}

impl Owners<'_> {
    /// Does something for one of the VMs, as whom it is known here; `peer` is that VM.
    fn with(self, who: Who, peer: Option<&'static dyn Peer>, act: impl FnOnce(&dyn Owner)) {
        if who == self.who {
            act(self.owner);
        } else if let Some(peer) = peer {
            act(peer);
        }
    }
}
