//! A port as whoever is at its other side has it.

use core::sync::atomic::Ordering;

use portcullis_virtio::Fault;

use super::{Console, Flow, News};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;

/// A port of a VM's console. `owner` is that VM wherever it is asked for: a vCPU of it if this runs on one of its cores because of
/// that one, else its [`Peer`].
#[derive(Clone, Copy)]
pub struct Jack {
    pub(super) console: &'static Console,
    pub(super) number: usize,
}

impl Jack {
    /// Its VM.
    pub fn peer(self) -> Option<&'static dyn Peer> {
        self.console.peer()
    }

    /// What its driver has said of the port since this was asked last, if anything, or was told by somebody else. To be asked when a piece
    /// of work begins.
    #[inline]
    pub fn news(self) -> Option<News> {
        let changed = &self.console.ports.get(self.number)?.changed;
        if !changed.load(Ordering::Relaxed) {
            return None;
        }
        // What is said from here on is in the news, or is further news.
        changed.store(false, Ordering::SeqCst);
        Some(self.console.news(self.number))
    }

    /// Says which session of the other end is open, or that it is closed. The driver is told, now or when it has room for that; an end is
    /// told between two sessions. Returns the session that the driver knows of now: nothing of another one is to reach it.
    pub fn show(self, owner: &dyn Owner, session: Option<u32>) -> Option<u32> {
        self.console.show(owner, self.number, session)
    }

    /// Takes note that chains were given back to a driver that wants to be interrupted.
    pub fn interrupt(self, owner: &dyn Owner) {
        self.console.registers.interrupt(owner);
    }

    /// The whole device cannot go on: its driver went against the specification at one of the port's queues.
    pub fn fail(self, owner: &dyn Owner, flow: Flow, fault: Fault) {
        self.console.fail(owner, self.number, flow, fault);
    }
}
