//! A port as whoever is at its other side has it.

use portcullis_virtio::Fault;

use super::{Flow, News};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::links::registers::Signals;

/// A console, for whoever is at the other side of a port of its, which `number` is.
pub trait Board: Send + Sync {
    /// Its VM.
    fn peer(&self) -> Option<&'static dyn Peer>;

    /// See [`Jack::news`].
    fn news(&self, number: usize) -> Option<News>;

    /// See [`Jack::show`].
    fn show(&self, owner: &dyn Owner, number: usize, session: Option<u32>) -> Option<u32>;

    /// See [`Jack::in_turn`].
    fn in_turn(&self, number: usize, turn: u32, act: &mut dyn FnMut()) -> bool;

    /// See [`Jack::interrupt`].
    fn interrupt(&self, owner: &dyn Owner);

    /// See [`Jack::signals`].
    fn signals(&self) -> Signals;

    /// See [`Jack::intid`].
    fn intid(&self) -> u32;

    /// See [`Jack::fail`].
    fn fail(&self, owner: &dyn Owner, number: usize, flow: Flow, fault: Fault);
}

/// A port of a VM's console. `owner` is that VM wherever it is asked for: a vCPU of it if this runs on one of its cores because of
/// that one, else its [`Peer`].
#[derive(Clone, Copy)]
pub struct Jack {
    pub(super) console: &'static dyn Board,
    pub(super) number: usize,
}

impl Jack {
    /// Its VM.
    pub fn peer(self) -> Option<&'static dyn Peer> {
        self.console.peer()
    }

    /// What its driver has said of the port since this was asked last, if anything, or was told by somebody else. To be asked
    /// when a piece of work begins.
    pub fn news(self) -> Option<News> {
        self.console.news(self.number)
    }

    /// Says which session of the other end is open, or that it is closed. The driver is told, now or when it has room for that;
    /// an end is told between two sessions. Returns the session that the driver knows of now: nothing of another one is to
    /// reach it.
    pub fn show(self, owner: &dyn Owner, session: Option<u32>) -> Option<u32> {
        self.console.show(owner, self.number, session)
    }

    /// Does something if the port is still in the turn that [news](Self::news) told, and says whether it is. What the driver is
    /// shown so a program of this turn gets, or nobody: a driver that closes a port throws away what has come for it, behind the
    /// message that tells of the close, and that is heard before this or behind it, never meanwhile.
    pub fn in_turn(self, turn: u32, mut act: impl FnMut()) -> bool {
        self.console.in_turn(self.number, turn, &mut act)
    }

    /// Takes note that chains were given back to a driver that wants to be interrupted.
    pub fn interrupt(self, owner: &dyn Owner) {
        self.console.interrupt(owner);
    }

    /// How often the console and its driver told each other something, for whichever port.
    pub fn signals(self) -> Signals {
        self.console.signals()
    }

    /// The number of the console's interrupt.
    pub fn intid(self) -> u32 {
        self.console.intid()
    }

    /// The whole device cannot go on: its driver went against the specification at one of the port's queues.
    pub fn fail(self, owner: &dyn Owner, flow: Flow, fault: Fault) {
        self.console.fail(owner, self.number, flow, fault);
    }
}
