//! Two ports that are connected.

use portcullis_virtio::{Budget, Chain, Fault, Queue, Shared};

use super::counters::Counters;

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl Side {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A fault of the driver of one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Whose.
    pub side: Side,
    /// What it did.
    pub fault: Fault,
}

/// Where a piece of work has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There is nothing to do before this comes.
    Idle(Wait),
    /// The budget is spent, and there may be more to do.
    More,
    /// A session is over: what [`Pair::session`] says is another one, and goes to the port before there is more to do.
    Turned,
}

/// What work waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Somebody who takes what is sent, and whose driver was told that it is.
    Reader,
    /// Something that is sent.
    Bytes,
    /// A buffer for what is sent.
    Room,
}

/// A queue of data of one end.
#[derive(Debug)]
pub struct Flow<'a, M> {
    /// The queue.
    pub queue: &'a mut Queue,
    /// The memory that it is in.
    pub memory: &'a mut M,
    /// Filled with one chain after the other.
    pub chain: &'a mut Chain,
}

/// What one end sends, and whether it is open. Indices are those of its queue of what it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    /// A program has it open.
    open: bool,
    /// The number of the last time that it was opened.
    session: u32,
    /// What was sent before this index belongs to a session that is over: this one. Another one that is over before the end of the
    /// first was told goes with it.
    over: Option<(u16, u32)>,
    /// What was sent before this index was for somebody who has closed.
    lost: Option<u16>,
    /// The chain that is being sent, and how many of its bytes the other end has.
    current: Option<(u16, u32)>,
    counters: Counters,
}

/// What was sent by one end and became of it, as it was at some time.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    over: Option<(u16, u32)>,
    lost: Option<u16>,
    current: Option<(u16, u32)>,
    sent: u64,
    dropped: u64,
}

/// A pair of ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    a: End,
    b: End,
}

impl Pair {
    /// A pair of closed ends.
    pub fn new() -> Self {
        Self::default()
    }

    const fn end(&self, side: Side) -> &End {
        match side {
            Side::A => &self.a,
            Side::B => &self.b,
        }
    }

    const fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }

    /// Counters of what an end sends.
    pub const fn counters(&self, side: Side) -> Counters {
        self.end(side).counters
    }

    /// How far what an end sends is now.
    #[inline]
    pub const fn mark(&self, side: Side) -> Before {
        let End { over, lost, current, counters: Counters { sent, dropped, .. }, .. } = *self.end(side);
        Before { over, lost, current, sent, dropped }
    }

    /// Goes back to where [`work`](Self::work) for what an end sends was, whose queues were not published since and are rewound
    /// too: nothing was moved, and nobody was told.
    pub const fn undo(&mut self, side: Side, before: Before) {
        let end = self.end_mut(side);
        (end.over, end.lost, end.current) = (before.over, before.lost, before.current);
        (end.counters.sent, end.counters.dropped) = (before.sent, before.dropped);
    }

    /// The first descriptor of the chain that an end sends and that is not passed on as a whole.
    pub const fn under_way(&self, side: Side) -> Option<u16> {
        match self.end(side).current {
            Some((head, _)) => Some(head),
            None => None,
        }
    }

    /// Counts what an end sends anew.
    pub fn renew(&mut self, side: Side) {
        self.end_mut(side).counters = Counters::default();
    }

    /// The session that the port of `side` is to show: the other end's, until its last byte was delivered.
    pub const fn session(&self, side: Side) -> Option<u32> {
        let other = self.end(side.other());
        match other.over {
            // Whoever has opened again since then waits until the end of the session before was told.
            Some((_, session)) => Some(session),
            None if other.open => Some(other.session),
            None => None,
        }
    }

    /// A program has opened the end.
    pub const fn open(&mut self, side: Side) {
        let end = self.end_mut(side);
        if !end.open {
            end.open = true;
            end.session = end.session.wrapping_add(1);
            end.counters.sessions = end.counters.sessions.wrapping_add(1);
        }
    }

    /// A program has closed the end, which has sent what is in its queue before index `sent`; what the other end has in its
    /// queue before index `waiting` nobody takes any more. What [`session`](Self::session) says of either side may be another
    /// one then: a session of the other end that was over, and whose end was not told yet, goes with what it had sent.
    pub fn close(&mut self, side: Side, sent: u16, waiting: u16) {
        let end = self.end_mut(side);
        if end.open {
            end.open = false;
            end.over = Some((sent, end.over.map_or(end.session, |(_, session)| session)));
            self.end_mut(side.other()).lose(waiting);
        }
    }

    /// The end is there no more, with all that it had to send: its VM, or its driver, has stopped or begins anew. `waiting` as for
    /// [`close`](Self::close).
    pub const fn vanish(&mut self, side: Side, waiting: u16) {
        let End { session, counters, open, .. } = *self.end(side);
        *self.end_mut(side) = End { open: false, session, over: None, lost: None, current: None, counters };
        if open {
            self.end_mut(side.other()).lose(waiting);
        }
    }

    /// Moves what `from` has sent to the other end, as far as budget, buffers and sessions go; `shown` is the session that the
    /// other end's port has told its driver of. `target` is none while the other end's queue is not in use, or cannot be
    /// touched: then it takes nothing. Each driver sees what is done when its queue is published.
    ///
    /// # Errors
    ///
    /// [`Broken`].
    pub fn work<M: Shared>(
        &mut self,
        from: Side,
        shown: Option<u32>,
        source: &mut Flow<'_, M>,
        mut target: Option<&mut Flow<'_, M>>,
        budget: &mut Budget,
    ) -> Result<Progress, Broken> {
        let by_source = |fault| Broken { side: from, fault };
        let by_target = |fault| Broken { side: from.other(), fault };
        loop {
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            let taken = self.end(from.other()).open && shown.is_some() && shown == self.session(from.other());
            let end = self.end_mut(from);
            let at = source.queue.position();
            if end.lost == Some(at) && end.current.is_none() {
                end.lost = None;
            }
            if end.over.is_some_and(|(over, _)| over == at) && end.current.is_none() && end.lost.is_none() {
                end.over = None;
                return Ok(Progress::Turned);
            }
            if end.lost.is_some() {
                if !end.load(source, budget).map_err(by_source)? {
                    return Ok(Progress::Idle(Wait::Bytes));
                }
                end.finish(source, false).map_err(by_source)?;
                continue;
            }
            let Some(target) = target.as_deref_mut().filter(|_| taken) else {
                return Ok(Progress::Idle(Wait::Reader));
            };
            if end.pass_straight(source, target, budget).map_err(by_source)? {
                continue;
            }
            if !end.load(source, budget).map_err(by_source)? {
                return Ok(Progress::Idle(Wait::Bytes));
            }
            // The other end's chain may be as long as this one.
            if budget.is_spent() {
                return Ok(Progress::More);
            }
            let mark = target.queue.mark();
            if !target.queue.take(target.memory, target.chain).map_err(by_target)? {
                return Ok(Progress::Idle(Wait::Room));
            }
            budget.chain(target.chain);
            let moved = end.pass(source, target, budget).map_err(|fault| match fault {
                fault @ Fault::Narrow { .. } => by_target(fault),
                fault => {
                    // Whoever is not at fault keeps its buffer.
                    target.queue.rewind(mark);
                    by_source(fault)
                }
            })?;
            target.queue.put(target.memory, target.chain.head(), moved).map_err(by_target)?;
        }
    }
}

impl End {
    /// What was sent before index `waiting` is for nobody any more; and so is the end of a session before it: all that was sent
    /// for it is behind.
    const fn lose(&mut self, waiting: u16) {
        (self.lost, self.over) = (Some(waiting), None);
    }

    /// Has the chain that is being sent in `source.chain`, the next one if there is none. False: there is none.
    fn load<M: Shared>(&mut self, source: &mut Flow<'_, M>, budget: &mut Budget) -> Result<bool, Fault> {
        match self.current {
            Some((head, done)) => {
                source.queue.again(source.memory, head, source.chain)?;
                budget.chain(source.chain);
                // There was something left of it.
                if source.chain.readable() <= done { Err(Fault::Changed { head }) } else { Ok(true) }
            }
            None if source.queue.take(source.memory, source.chain)? => {
                budget.chain(source.chain);
                // A buffer of no bytes would be the end of the file to whoever reads. What a driver sends is read by the device
                // (section 5.3.6.1), so that there is a byte at least.
                if source.chain.readable() == 0 {
                    return Err(Fault::Short { what: "a port's bytes", length: 0, least: 1 });
                }
                self.current = Some((source.chain.head(), 0));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Passes the next chain on as a whole, if it is of one buffer and the other end's next one is of one that has room for it:
    /// the short way. False: it is another one, or something is not in order, and nothing was done.
    ///
    /// # Errors
    ///
    /// [`Fault::OutOfReach`] of the source.
    #[inline(always)]
    fn pass_straight<M: Shared>(
        &mut self,
        source: &mut Flow<'_, M>,
        target: &mut Flow<'_, M>,
        budget: &mut Budget,
    ) -> Result<bool, Fault> {
        if self.current.is_some() {
            return Ok(false);
        }
        let sent = source.queue.only(source.memory).filter(|sent| !sent.writable && sent.length > 0);
        let Some(sent) = sent.filter(|sent| sent.length <= budget.bytes()) else { return Ok(false) };
        let room = target.queue.only(target.memory).filter(|room| room.writable && room.length >= sent.length);
        let Some(room) = room else { return Ok(false) };
        let copied = source.memory.copy_across(sent.address, target.memory, room.address, sent.length as usize);
        if copied.is_err() || target.queue.pass(target.memory, room, sent.length).is_err() {
            return Ok(false);
        }
        source.queue.pass(source.memory, sent, 0)?;
        budget.passed(sent.length);
        self.counters.sent = self.counters.sent.wrapping_add(u64::from(sent.length));
        Ok(true)
    }

    /// Copies what is left of the chain that is being sent to a buffer of the other end's. Returns how much that was.
    fn pass<M: Shared>(
        &mut self,
        source: &mut Flow<'_, M>,
        target: &mut Flow<'_, M>,
        budget: &mut Budget,
    ) -> Result<u32, Fault> {
        if target.chain.writable() == 0 {
            return Err(Fault::Narrow { what: "a port's bytes", length: 0, least: 1 });
        }
        let Some((head, done)) = self.current else { return Ok(0) };
        let (mut reader, mut writer) = (source.chain.reader(), target.chain.writer());
        reader.skip(done);
        let moved = reader.copy(source.memory, &mut writer, target.memory, budget.bytes())?;
        budget.copied(moved);
        self.counters.sent = self.counters.sent.wrapping_add(u64::from(moved));
        self.current = Some((head, done.saturating_add(moved)));
        if reader.left() == 0 {
            self.finish(source, true)?;
        }
        Ok(moved)
    }

    /// Gives the chain that is being sent back. What is left of it is dropped if it was not delivered.
    fn finish<M: Shared>(&mut self, source: &mut Flow<'_, M>, delivered: bool) -> Result<(), Fault> {
        if let Some((head, done)) = self.current.take() {
            if !delivered {
                let left = source.chain.readable().saturating_sub(done);
                self.counters.dropped = self.counters.dropped.wrapping_add(u64::from(left));
            }
            source.queue.put(source.memory, head, 0)?;
        }
        Ok(())
    }
}
