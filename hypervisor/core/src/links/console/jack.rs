//! A port as whoever is at its other side has it.

use core::sync::atomic::{AtomicU32, Ordering};

use portcullis_virtio::{Fault, Queue};

use super::{Flow, News};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::links::registers::Signals;
use crate::memory::guest::GuestMemory;

/// What shows a driver what was done at a queue, and says whether the driver wants to be interrupted.
pub type Act<'a> = &'a mut dyn FnMut() -> Result<bool, Fault>;

/// A console, for whoever is at the other side of a port of its, which `number` is.
pub trait Board: Send + Sync {
    /// Its VM.
    fn peer(&self) -> Option<&'static dyn Peer>;

    /// See [`Jack::news`].
    fn news(&self, number: usize) -> Option<News>;

    /// See [`Jack::show`].
    fn show(&self, owner: &dyn Owner, number: usize, session: Option<u32>) -> Option<u32>;

    /// Does `act` with the registers locked, and has the driver interrupted if it says so.
    fn publish(&self, owner: &dyn Owner, act: Act<'_>) -> Result<(), Fault>;

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
    pub(super) turn: &'static AtomicU32,
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

    /// The turn that the port is in by now. What was found at a queue before this was asked a program of this turn has sent, or of
    /// an earlier one: a driver sends for the next one behind the message that tells of it, and that is heard by then.
    pub fn turn(self) -> u32 {
        self.turn.load(Ordering::Acquire)
    }

    /// Shows the driver what was done at one of the port's queues if the port is still in the turn that [news](Self::news) told,
    /// and interrupts it if it wants that, or if it is `due`. False: the port is in another turn, and nothing was shown. What the
    /// driver is shown so a program of this turn gets, or nobody: a driver that closes a port throws away what has come for it,
    /// behind the message that tells of the close, and that is heard before this or behind it, never meanwhile.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the driver.
    #[inline]
    pub fn publish(
        self,
        owner: &dyn Owner,
        turn: u32,
        queue: &mut Queue,
        memory: &mut GuestMemory,
        due: bool,
    ) -> Result<bool, Fault> {
        let mut same = false;
        self.console.publish(owner, &mut || {
            same = self.turn() == turn;
            if same { Ok(queue.publish(memory)? | due) } else { Ok(false) }
        })?;
        Ok(same)
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
