//! Pieces of the work at a port of EL2's.

use portcullis_virtio::{Budget, Chain, Fault, Queue};

use super::line::Line;
use super::service::{Buffer, Service};
use super::show::{publish, publish_in_turn};
use crate::devices::owner::Owner;
use crate::links::console::{Flow, Jack};
use crate::links::peer::Peer;
use crate::memory::guest::GuestMemory;

/// Bytes that are copied at once.
const COPIED: usize = 4096;

/// What whoever works at a port has to itself.
pub struct Desk {
    pub(super) line: Line,
    /// The service knows that the port is open in this turn.
    known: Option<u32>,
    /// The chain that is being taken, and how many of its bytes are.
    current: Option<(u16, u32)>,
    /// What was sent before this index was by a program that has closed.
    lost: Option<u16>,
    chain: Chain,
    bytes: [u8; COPIED],
}

/// How a direction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// There may be more.
    More,
    /// Nothing can be done before something happens.
    Idle,
}

impl Desk {
    pub(super) const fn new() -> Self {
        Self { line: Line::new(), known: None, current: None, lost: None, chain: Chain::new(), bytes: [0; COPIED] }
    }

    /// The driver begins anew, or is at fault, or its VM has ended.
    pub(super) fn lose<S: Service>(&mut self, service: &S) {
        self.line.lose();
        (self.current, self.lost) = (None, None);
        self.tell(service, None);
    }

    /// Says in which turn a program has the port open, if one has.
    fn tell<S: Service>(&mut self, service: &S, turn: Option<u32>) {
        if turn == self.known {
            return;
        }
        if self.known.is_some() {
            service.closed();
        }
        self.known = turn;
        if turn.is_some() {
            service.opened();
        }
    }

    /// Looks whether a program has the port open. The service knows then.
    pub(super) fn look<S: Service>(&mut self, service: &S, jack: Jack, owner: &dyn Owner) -> bool {
        if let Some(news) = jack.news() {
            self.line.take_note(&news);
            if news.closed.is_some() {
                self.lost = news.closed;
            }
        }
        self.line.show(jack, owner);
        let open = self.line.is_open();
        self.tell(service, open.then_some(self.line.turn()));
        open
    }

    /// Does a piece of work. Returns whether there is more.
    pub(super) fn piece<S: Service>(&mut self, service: &S, jack: Jack, owner: &dyn Owner) -> bool {
        let open = self.look(service, jack, owner);
        // Nothing is mapped of a VM that ends.
        let peer = jack.peer().filter(|peer| peer.runs());
        let Some(mut memory) = peer.and_then(Peer::memory) else { return false };
        let budget = &mut Budget::new();
        let given = if open { self.give(service, &mut memory, jack, owner, budget) } else { Ok(Stand::Idle) };
        let given = given.map_err(|fault| (Flow::Receive, fault));
        let taken = self.take(service, &mut memory, jack, owner, budget).map_err(|fault| (Flow::Transmit, fault));
        match given.and_then(|given| Ok((given, taken?))) {
            Ok(stands) => stands != (Stand::Idle, Stand::Idle),
            Err((flow, fault)) => {
                jack.fail(owner, flow, fault);
                self.lose(service);
                false
            }
        }
    }

    /// Gives the program what there is for it, as far as it has room.
    fn give<S: Service>(
        &mut self,
        service: &S,
        memory: &mut GuestMemory,
        jack: Jack,
        owner: &dyn Owner,
        budget: &mut Budget,
    ) -> Result<Stand, Fault> {
        let Self { line, chain, bytes, .. } = self;
        let turn = line.turn();
        let Some(queue) = &mut line.queues.receive else { return Ok(Stand::Idle) };
        let before = queue.mark();
        let stand = loop {
            if !service.has() {
                queue.silence(memory)?;
                break Stand::Idle;
            }
            if budget.is_spent() {
                break Stand::More;
            }
            let mark = queue.mark();
            if !queue.take(memory, chain)? {
                if queue.listen(memory)? {
                    continue;
                }
                break Stand::Idle;
            }
            budget.chain(chain);
            let length = chain.writable();
            if length < S::LEAST {
                return Err(Fault::Narrow { what: "what the port has for it", length, least: S::LEAST });
            }
            let buffer = &mut Buffer { at: &mut chain.writer(), memory, budget, bytes };
            let moved = service.fill(buffer)?;
            if moved.bytes == 0 {
                queue.rewind(mark);
                break if moved.more { Stand::More } else { Stand::Idle };
            }
            queue.put(memory, chain.head(), moved.bytes)?;
        };
        publish_in_turn(queue, before, memory, jack, owner, turn)?;
        Ok(stand)
    }

    /// Has the service take what the program has sent.
    fn take<S: Service>(
        &mut self,
        service: &S,
        memory: &mut GuestMemory,
        jack: Jack,
        owner: &dyn Owner,
        budget: &mut Budget,
    ) -> Result<Stand, Fault> {
        let Some(mut queue) = self.line.queues.transmit.take() else { return Ok(Stand::Idle) };
        let stand = self.take_from(&mut queue, service, memory, jack, budget);
        let shown = publish(&mut queue, memory, jack, owner);
        self.line.queues.transmit = Some(queue);
        stand.and_then(|stand| shown.map(|()| stand))
    }

    fn take_from<S: Service>(
        &mut self,
        queue: &mut Queue,
        service: &S,
        memory: &mut GuestMemory,
        jack: Jack,
        budget: &mut Budget,
    ) -> Result<Stand, Fault> {
        queue.silence(memory)?;
        loop {
            if budget.is_spent() {
                return Ok(Stand::More);
            }
            if self.lost == Some(queue.position()) && self.current.is_none() {
                self.lost = None;
            }
            if !self.line.is_open() && self.lost.is_none() {
                return Ok(Stand::Idle);
            }
            let (mark, fresh) = (queue.mark(), self.current.is_none());
            let Some((head, done)) = self.load(queue, memory)? else {
                if queue.listen(memory)? {
                    continue;
                }
                return Ok(Stand::Idle);
            };
            budget.chain(&self.chain);
            let length = self.chain.readable();
            if self.lost.is_some() {
                self.current = None;
                queue.put(memory, head, 0)?;
                continue;
            }
            if !jack.in_turn(self.line.turn(), || ()) {
                // It is the next program's, perhaps, and waits for what is told of that.
                if fresh {
                    self.current = None;
                    queue.rewind(mark);
                }
                return Ok(Stand::More);
            }
            let Self { chain, bytes, .. } = &mut *self;
            let mut reader = chain.reader();
            reader.skip(done);
            let moved = service.drain(&mut Buffer { at: &mut reader, memory, budget, bytes })?;
            let done = done.saturating_add(moved.bytes);
            if done >= length {
                self.current = None;
                queue.put(memory, head, 0)?;
                continue;
            }
            self.current = Some((head, done));
            if !moved.more {
                return Ok(Stand::Idle);
            }
            if moved.bytes == 0 {
                return Ok(Stand::More);
            }
        }
    }

    /// Has the chain that is being taken, or the next one: its first descriptor, and how many of its bytes are taken. None: there
    /// is none.
    fn load(&mut self, queue: &mut Queue, memory: &mut GuestMemory) -> Result<Option<(u16, u32)>, Fault> {
        let Self { current, chain, .. } = self;
        match *current {
            Some((head, done)) => {
                queue.again(memory, head, chain)?;
                // There was something left of it.
                if chain.readable() <= done {
                    return Err(Fault::Changed { head });
                }
            }
            None if queue.take(memory, chain)? => *current = Some((chain.head(), 0)),
            None => return Ok(None),
        }
        Ok(*current)
    }
}
