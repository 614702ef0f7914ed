//! Pieces of the work at a port of EL2's.

use portcullis_virtio::{Budget, Chain, Fault};

use super::line::Line;
use super::sent::{Sent, Stand};
use super::service::{Buffer, Service};
use crate::cpu::physical_core::Core;
use crate::devices::owner::Owner;
use crate::links::console::{Flow, Jack, publish_in_turn};
use crate::memory::guest::{GuestMemory, Hold};

/// Bytes that are copied at once.
const COPIED: usize = 4096;

/// Cores that go on with what they reached of the VM's memory: its own, and those on which there is something for it.
const CORES: usize = 4;

/// A desk, and the memory of the port's VM as cores reached it that worked here, by the lowest bits of their numbers.
pub struct Place {
    pub(super) desk: Desk,
    memories: [Option<GuestMemory>; CORES],
}

impl Place {
    pub(super) const fn new() -> Self {
        Self { desk: Desk::new(), memories: [const { None }; CORES] }
    }

    /// Does a piece of work: gives the program what there is for it, and unless that is all takes what it has sent. Returns whether
    /// there is more.
    pub(super) fn piece<S: Service>(&mut self, service: &S, jack: Jack, owner: &dyn Owner, takes: bool) -> bool {
        let Self { desk, memories } = self;
        let open = desk.look(service, jack, owner);
        let here = Core::current().map_or(0, |core| core.index);
        let kept = memories.get_mut(here % CORES);
        // Nothing is mapped of a VM that ends.
        let Some(memory) = kept.zip(jack.peer()).and_then(|(kept, peer)| peer.reach(kept)) else { return false };
        let done = desk.work(memory, service, jack, owner, [open, takes]);
        done.unwrap_or_else(|(flow, fault)| {
            jack.fail(owner, flow, fault);
            desk.lose(service);
            false
        })
    }
}

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

impl Desk {
    const fn new() -> Self {
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

    /// Gives and takes, as far as each is to be done. Returns whether there is more.
    fn work<S: Service>(
        &mut self,
        memory: &mut GuestMemory,
        service: &S,
        jack: Jack,
        owner: &dyn Owner,
        [gives, takes]: [bool; 2],
    ) -> Result<bool, (Flow, Fault)> {
        if let Some(rings) = self.line.queues.rings() {
            memory.hold(Hold::First, rings);
        }
        let (budget, mut given, mut taken) = (&mut Budget::new(), Stand::Idle, Stand::Idle);
        if gives {
            given = self.give(service, memory, jack, owner, budget).map_err(|fault| (Flow::Receive, fault))?;
        }
        if takes {
            taken = self.take(service, memory, jack, owner, budget).map_err(|fault| (Flow::Transmit, fault))?;
        }
        Ok(match (given, taken) {
            (Stand::Idle, Stand::Idle) => false,
            (Stand::Idle, Stand::Taken) => gives && service.has(),
            _ => true,
        })
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
        publish_in_turn((queue, before), memory, (jack, owner), turn, false)?;
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
        let (open, turn) = (self.line.is_open(), self.line.turn());
        let Self { line, current, lost, chain, bytes, .. } = self;
        let Some(queue) = &mut line.queues.transmit else { return Ok(Stand::Idle) };
        let stand =
            Sent { queue: &mut *queue, open, turn, current, lost, chain, bytes }.take(service, memory, jack, budget);
        let shown = queue.publish(memory);
        if shown == Ok(true) {
            jack.interrupt(owner);
        }
        stand.and_then(|stand| shown.map(|_| stand))
    }
}
