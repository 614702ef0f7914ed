//! A port whose other side EL2 has, as its driver set it up. It is open on this side from then on, whoever opens and closes it: a
//! program that closes and the next one that opens follow on each other faster than a driver is told of an end and a beginning.

use crate::devices::owner::Owner;
use crate::links::console::{Flow, Jack, News, Queues};

/// The only session of EL2's side.
const SESSION: u32 = 0;

/// The queues of a port, what its driver has said of it, and what it was told.
#[derive(Debug, Default)]
pub struct Line {
    /// The queues.
    pub queues: Queues,
    /// Its driver has set it up; a program has it open.
    ready: bool,
    open: bool,
    /// Of which turn at the port that is.
    turn: u32,
    /// What the driver is to be told of this side, and what it knows.
    told: Option<u32>,
    shown: Option<u32>,
}

impl Line {
    /// A port that nobody has set up.
    pub const fn new() -> Self {
        let queues = Queues { transmit: None, receive: None };
        Self { queues, ready: false, open: false, turn: 0, told: None, shown: None }
    }

    const fn session(&self) -> Option<u32> {
        if self.ready { Some(SESSION) } else { None }
    }

    /// The driver has said something.
    pub const fn take_note(&mut self, news: &News) {
        self.ready |= news.ready;
        (self.open, self.turn, self.shown) = (news.open, news.turn, news.shown);
    }

    /// Has the driver told that this side is open, if it was not yet.
    pub fn show(&mut self, jack: Jack, owner: &dyn Owner) {
        let session = self.session();
        if session != self.told {
            self.told = session;
            self.shown = jack.show(owner, session);
        }
    }

    /// Whether a program has the port open, and its driver knows that this side is.
    pub fn is_open(&self) -> bool {
        self.open && self.ready && self.shown == self.session()
    }

    /// The turn at the port in which it is open, or closed.
    pub const fn turn(&self) -> u32 {
        self.turn
    }

    /// The driver does not want a queue to be touched any more.
    pub fn stop(&mut self, flow: Flow) {
        match flow {
            Flow::Transmit => self.queues.transmit = None,
            Flow::Receive => self.queues.receive = None,
        }
    }

    /// The queues are there no more, and the driver has to set the port up again.
    pub fn lose(&mut self) {
        self.queues = Queues::default();
        (self.ready, self.open, self.shown) = (false, false, None);
    }
}
