//! The port at which the control VM makes management calls: what is asked there EL2 answers.

use portcullis_links::controls::{Broken, Desk as Asked, Requests};
use portcullis_links::serial::{Port, Progress, Wait};
use portcullis_virtio::{Budget, Chain, Queue};
use spin::Once;

use super::console::{End, Flow, Jack, News, Queues, publish_in_turn};
use super::own_port::line::Line;
use super::peer::Peer;
use super::work::{Rest, Work};
use crate::devices::owner::Owner;
use crate::memory::guest::{GuestMemory, Hold};

/// The port's name.
const NAME: &str = "portcullis";
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
    line: Line,
    requests: Requests,
    request: Chain,
    answer: Chain,
    /// The memory of the VM as the core reached it that answered last.
    memory: Option<GuestMemory>,
}

impl Controls {
    /// A port that is yet to be at a console.
    pub const fn new(serve: Serve) -> Self {
        let (line, requests) = (Line::new(), Requests::new());
        let desk = Desk { line, requests, request: Chain::new(), answer: Chain::new(), memory: None };
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

    /// The port at rest: nobody answers meanwhile.
    fn enter(&self) -> Rest<'_, Desk, impl Fn(usize)> {
        self.desk.enter(|_| self.call())
    }

    /// Has its VM go on with its work.
    fn call(&self) {
        self.peer().into_iter().for_each(Peer::call);
    }

    /// Does a piece of work.
    fn go_on(&self, owner: &dyn Owner) {
        self.desk.work(OWN, |desk, _| self.piece(desk, owner), |_| self.call());
    }

    /// Answers requests. Returns whether there are more.
    fn piece(&self, desk: &mut Desk, owner: &dyn Owner) -> bool {
        let Some(jack) = self.jack() else { return false };
        if let Some(news) = jack.news() {
            desk.take_note(&news);
        }
        desk.line.show(jack, owner);
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
        let (open, turn) = (desk.line.is_open(), desk.line.turn());
        let Desk { line, requests, request, answer, memory: kept } = desk;
        let Queues { transmit, receive } = &mut line.queues;
        let still = || jack.turn() == turn;
        let Some(transmit) = transmit else { return Ok(NOTHING) };
        // Nothing is mapped of a VM that ends.
        let Some(memory) = jack.peer().and_then(|peer| peer.reach(kept)) else { return Ok(NOTHING) };
        let rings = transmit.rings();
        memory.hold(Hold::First, rings);
        let serve = |memory: &mut GuestMemory, request| {
            // Whatever is asked for may have blocks shown in other ways, or no more.
            memory.let_go();
            let answer = (self.serve)(request);
            memory.hold(Hold::First, rings);
            answer
        };
        transmit.silence(memory).map_err(Broken::Requests)?;
        if let Some(receive) = receive {
            receive.silence(memory).map_err(Broken::Answers)?;
        }
        let before = receive.as_ref().map(Queue::mark);
        let mut budget = Budget::new();
        let done = loop {
            let mut asked =
                Asked { requests: transmit, answers: receive.as_mut(), memory: &mut *memory, request, answer };
            let progress = requests.work(&mut asked, open, &mut budget, still, serve);
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
        let given = transmit.publish(memory).map_err(Broken::Requests);
        let answered = match receive.as_mut().zip(before) {
            // Who has asked may have closed the port meanwhile, and somebody else may have opened it.
            Some(receive) => {
                publish_in_turn(receive, memory, (jack, owner), turn, given == Ok(true)).map_err(Broken::Answers)
            }
            None => {
                if given == Ok(true) {
                    jack.interrupt(owner);
                }
                Ok(())
            }
        };
        let progress = done?;
        given.and(answered.map(|()| true)).map(|_| progress)
    }
}

impl Desk {
    /// The driver has said something.
    const fn take_note(&mut self, news: &News) {
        self.line.take_note(news);
        if let Some(sent) = news.closed {
            self.requests.close(sent);
        }
    }

    /// The queues are there no more, and the driver has to set the port up again.
    fn lose(&mut self) {
        self.line.lose();
        self.requests = Requests::new();
    }
}

impl End for Controls {
    fn connect(&self, jack: Jack) {
        self.jack.call_once(|| jack);
    }

    fn begin(&self, queues: Queues) {
        self.enter().line.queues = queues;
    }

    fn stop(&self, flow: Flow) {
        self.enter().line.stop(flow);
    }

    fn forget(&self, owner: &dyn Owner) {
        let mut desk = self.enter();
        desk.lose();
        if let Some(jack) = self.jack() {
            desk.line.show(jack, owner);
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
        drop(self.enter());
    }
}
