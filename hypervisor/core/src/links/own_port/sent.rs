//! What a program has sent by a port of EL2's, as the service takes it.

use portcullis_virtio::{Budget, Chain, Fault, Queue};

use super::service::{Buffer, Service};
use crate::links::console::Jack;
use crate::memory::guest::GuestMemory;

/// How a direction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// There may be more.
    More,
    /// Nothing can be done before something happens.
    Idle,
    /// The same, and the service took something: it may have an answer.
    Taken,
}

/// See the module.
pub struct Sent<'a> {
    /// The queue of what is sent.
    pub queue: &'a mut Queue,
    /// A program has the port open, in which turn.
    pub open: bool,
    pub turn: u32,
    /// The chain that is being taken, and how many of its bytes are.
    pub current: &'a mut Option<(u16, u32)>,
    /// What was sent before this index was by a program that has closed.
    pub lost: &'a mut Option<u16>,
    pub chain: &'a mut Chain,
    /// Where bytes are copied to.
    pub bytes: &'a mut [u8],
}

impl Sent<'_> {
    /// Has the service take what there is, as far as it does and the budget goes.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the driver.
    pub fn take<S: Service>(
        &mut self,
        service: &S,
        memory: &mut GuestMemory,
        jack: Jack,
        budget: &mut Budget,
    ) -> Result<Stand, Fault> {
        self.queue.silence(memory)?;
        let mut idle = Stand::Idle;
        loop {
            if budget.is_spent() {
                return Ok(Stand::More);
            }
            if *self.lost == Some(self.queue.position()) && self.current.is_none() {
                *self.lost = None;
            }
            if !self.open && self.lost.is_none() {
                return Ok(Stand::Idle);
            }
            let fresh = self.current.is_none();
            let Some((head, done)) = self.load(memory)? else {
                if self.queue.listen(memory)? {
                    continue;
                }
                return Ok(idle);
            };
            budget.chain(self.chain);
            let length = self.chain.readable();
            if self.lost.is_some() {
                *self.current = None;
                self.queue.put(memory, head, 0)?;
                continue;
            }
            if jack.turn() != self.turn {
                // It is the next program's, perhaps, and waits for what is told of that.
                if fresh {
                    *self.current = None;
                    self.queue.rewind(self.queue.before(head));
                }
                return Ok(Stand::More);
            }
            let Self { chain, bytes, .. } = &mut *self;
            let mut reader = chain.reader();
            reader.skip(done);
            let moved = service.drain(&mut Buffer { at: &mut reader, memory, budget, bytes })?;
            idle = Stand::Taken;
            let done = done.saturating_add(moved.bytes);
            if done >= length {
                *self.current = None;
                self.queue.put(memory, head, 0)?;
                continue;
            }
            *self.current = Some((head, done));
            if !moved.more {
                return Ok(idle);
            }
            if moved.bytes == 0 {
                return Ok(Stand::More);
            }
        }
    }

    /// Has the chain that is being taken, or the next one: its first descriptor, and how many of its bytes are taken. None: there
    /// is none.
    fn load(&mut self, memory: &mut GuestMemory) -> Result<Option<(u16, u32)>, Fault> {
        let Self { queue, current, chain, .. } = self;
        match **current {
            Some((head, done)) => {
                queue.again(memory, head, chain)?;
                // There was something left of it.
                if chain.readable() <= done {
                    return Err(Fault::Changed { head });
                }
            }
            None if queue.take(memory, chain)? => **current = Some((chain.head(), 0)),
            None => return Ok(None),
        }
        Ok(**current)
    }
}
