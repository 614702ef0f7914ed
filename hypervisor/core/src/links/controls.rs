//! The port at which the control VM makes management calls: what is asked there EL2 answers.
//!
//! The port is open on this side from when the driver has set it up, whoever opens and closes it: a program that closes and the
//! next one that opens follow on each other faster than a driver is told of an end and a beginning.

use portcullis_links::controls::{Broken, Desk as Asked, Requests};
use portcullis_links::serial::{Port, Progress, Wait};
use portcullis_virtio::{Budget, Chain, Queue};
use spin::Once;

use super::console::{End, Flow, Jack, News, Queues};
use super::peer::Peer;
use super::work::Work;
use crate::devices::owner::Owner;
use crate::memory::guest::GuestMemory;

/// The port's name.
const NAME: &str = "portcullis";
/// The only session of this end.
const SESSION: u32 = 0;
/// The port, as it has work.
const OWN: usize = 0;

/// Answers a request of the control VM: x0 to x3 of a call, and what they are behind it. None: what it sent has no whole number
/// of requests.
pub type Serve = fn(Option<[u64; 4]>) -> [u64; 4];

/// EL2 at the other side of the control VM's port.
pub struct Controls {
    serve: Serve,
    jack: Once<Jack>,
    desk: Work<Desk>,
}

struct Desk {
    queues: Queues,
    requests: Requests,
    /// Its driver has set it up; a program has it open.
    ready: bool,
    open: bool,
    /// What the driver is to be told of this end, and what it knows.
    told: Option<u32>,
    shown: Option<u32>,
    request: Chain,
    answer: Chain,
}

impl Desk {
    const fn session(&self) -> Option<u32> {
        if self.ready { Some(SESSION) } else { None }
    }
}

impl Controls {
    /// A port that is yet to be at a console.
    pub const fn new(serve: Serve) -> Self {
        let desk = Desk {
            queues: Queues { transmit: None, receive: None },
            requests: Requests::new(),
            ready: false,
            open: false,
            told: None,
            shown: None,
            request: Chain::new(),
            answer: Chain::new(),
        };
        Self { serve, jack: Once::new(), desk: Work::new(desk) }
    }

    /// The port with what is at its other side.
    pub(super) fn port(&'static self) -> Option<(Port, &'static dyn End)> {
        Some((Port::new(NAME)?, self))
    }

    fn jack(&self) -> Option<Jack> {
        self.jack.get().copied()
    }

    fn peer(&self) -> Option<&'static dyn Peer> {
        self.jack().and_then(Jack::peer)
    }

    /// Does a piece of work.
    fn go_on(&self, owner: &dyn Owner) {
        let call = |_| self.peer().into_iter().for_each(Peer::call);
        self.desk.work(OWN, |desk, _| self.piece(desk, owner), call);
    }

    /// Answers requests. Returns whether there are more.
    fn piece(&self, desk: &mut Desk, owner: &dyn Owner) -> bool {
        let Some(jack) = self.jack() else { return false };
        if let Some(news) = jack.news() {
            desk.take_note(news);
        }
        show(desk, jack, owner);
        match self.answer(desk, jack, owner) {
            Ok(progress) => progress == Progress::More,
            Err(broken) => {
                let (flow, fault) = match broken {
                    Broken::Requests(fault) => (Flow::Transmit, fault),
                    Broken::Answers(fault) => (Flow::Receive, fault),
                };
                jack.fail(owner, flow, fault);
                desk.lose();
                false
            }
        }
    }

    fn answer(&self, desk: &mut Desk, jack: Jack, owner: &dyn Owner) -> Result<Progress, Broken> {
        const NOTHING: Progress = Progress::Idle(Wait::Reader);
        let open = desk.open && desk.ready && desk.shown == desk.session();
        let Desk { queues: Queues { transmit, receive }, requests, request, answer, .. } = desk;
        let Some(transmit) = transmit else { return Ok(NOTHING) };
        // Nothing is mapped of a VM that ends.
        let peer = jack.peer().filter(|peer| peer.runs());
        let Some(mut memory) = peer.and_then(Peer::memory) else { return Ok(NOTHING) };
        let memory = &mut memory;
        transmit.silence(memory).map_err(Broken::Requests)?;
        if let Some(receive) = receive {
            receive.silence(memory).map_err(Broken::Answers)?;
        }
        let mut budget = Budget::new();
        let done = loop {
            let mut asked = Asked { requests: transmit, answers: receive.as_mut(), memory, request, answer };
            let progress = requests.work(&mut asked, open, &mut budget, self.serve);
            let Asked { requests: transmit, answers, memory, .. } = asked;
            let came = match (&progress, answers) {
                (Ok(Progress::Idle(Wait::Bytes)), _) => transmit.listen(memory).map_err(Broken::Requests),
                (Ok(Progress::Idle(Wait::Room)), Some(answers)) => answers.listen(memory).map_err(Broken::Answers),
                _ => Ok(false),
            };
            match came {
                Ok(true) => {}
                Ok(false) => break progress,
                Err(broken) => break Err(broken),
            }
        };
        let given = publish(transmit, memory, jack, owner).map_err(Broken::Requests);
        let answered = match receive {
            Some(receive) => publish(receive, memory, jack, owner).map_err(Broken::Answers),
            None => Ok(()),
        };
        let progress = done?;
        given.and(answered).map(|()| progress)
    }
}

/// Shows the driver what was done at a queue.
fn publish(
    queue: &mut Queue,
    memory: &mut GuestMemory,
    jack: Jack,
    owner: &dyn Owner,
) -> Result<(), portcullis_virtio::Fault> {
    if queue.publish(memory)? {
        jack.interrupt(owner);
    }
    Ok(())
}

/// Has the driver told whether this end is open, if it was not yet.
fn show(desk: &mut Desk, jack: Jack, owner: &dyn Owner) {
    let session = desk.session();
    if session != desk.told {
        desk.told = session;
        desk.shown = jack.show(owner, session);
    }
}

impl Desk {
    /// The driver has said something.
    fn take_note(&mut self, News { ready, closed, open, shown }: News) {
        self.ready |= ready;
        if let Some(sent) = closed {
            self.requests.close(sent);
        }
        (self.open, self.shown) = (open, shown);
    }

    /// The queues are there no more, and the driver has to set the port up again.
    fn lose(&mut self) {
        (self.queues, self.requests) = (Queues::default(), Requests::new());
        (self.ready, self.open, self.shown) = (false, false, None);
    }
}

impl End for Controls {
    fn connect(&self, jack: Jack) {
        self.jack.call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        self.desk.enter().queues = queues;
    }

    fn stop(&self, flow: Flow) {
        let mut desk = self.desk.enter();
        match flow {
            Flow::Transmit => desk.queues.transmit = None,
            Flow::Receive => desk.queues.receive = None,
        }
    }

    fn forget(&self, owner: &dyn Owner) {
        let mut desk = self.desk.enter();
        desk.lose();
        if let Some(jack) = self.jack() {
            show(&mut desk, jack, owner);
        }
    }

    fn notified(&self, _: Flow, owner: &dyn Owner) {
        self.go_on(owner);
    }

    fn mark(&self) {
        self.desk.mark(OWN);
    }

    fn is_marked(&self) -> bool {
        self.desk.is_marked(OWN)
    }

    fn work(&self, owner: &dyn Owner) {
        if self.is_marked() {
            self.go_on(owner);
        }
    }

    fn rest(&self) {
        drop(self.desk.enter());
    }
}
