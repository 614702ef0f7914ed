//! A disk that another VM serves: between its driver's queue and the server's port.

use portcullis_virtio::{Budget, Chain, Cursor, Fault, Queue, Shared};

use crate::nbd::{self, Broken, Client, Command, Done, In, Out, Wanted};

use super::answer::give_back;
use super::geometry::Geometry;
use super::request::{self, Action, HEADER, Judged, Request, Status};

/// A served disk at work.
#[derive(Debug)]
pub struct Served {
    disk: Geometry,
    /// How long a request may take, in counter ticks.
    timeout: u64,
    /// The client of its server.
    client: Client,
    /// Chains that a restored queue has as taken, from this one on, are to be taken up again.
    resuming: Option<u16>,
    /// Bytes that the requests which were done had copied to the server, and from it, and nobody has asked for.
    moved: u64,
}

/// A driver's end of a served disk: its queue, the memory that it is in, and a chain to fill.
#[derive(Debug)]
pub struct Flow<'a, M> {
    /// The queue.
    pub queue: &'a mut Queue,
    /// The memory.
    pub memory: &'a mut M,
    /// Filled with one chain after the other.
    pub chain: &'a mut Chain,
}

impl Served {
    /// A disk whose server is not there yet, and whose requests may take `timeout` counter ticks. None: the name of the export is
    /// too long.
    pub fn new(disk: Geometry, export: &str, timeout: u64) -> Option<Self> {
        let wanted = Wanted::new(export, disk.size, disk.block, disk.read_only)?;
        Some(Self { disk, timeout, client: Client::new(wanted), resuming: None, moved: 0 })
    }

    /// What the disk is.
    pub const fn geometry(&self) -> &Geometry {
        &self.disk
    }

    /// The connection to its server.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Bytes that the requests which were done since this was asked last had copied to the server, and from it.
    pub const fn take_moved(&mut self) -> u64 {
        core::mem::replace(&mut self.moved, 0)
    }

    /// How long a request may take, in counter ticks.
    pub const fn timeout(&self) -> u64 {
        self.timeout
    }

    /// The server's end was opened: a connection begins.
    pub fn open(&mut self) {
        self.client.open();
    }

    /// The server's end was closed, or the connection is cut. Requests wait for the next one.
    pub fn close(&mut self) {
        self.client.close();
    }

    /// The disk's driver begins anew. Returns whether the connection is to be cut.
    pub fn reset(&mut self) -> bool {
        self.resuming = None;
        self.client.abandon_all()
    }

    /// Takes requests of the driver, as far as budget and room go. Those that need no server are over.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the disk's driver.
    pub fn take<M: Shared>(&mut self, flow: &mut Flow<'_, M>, now: u64, budget: &mut Budget) -> Result<(), Fault> {
        while self.client.has_room() && !budget.is_spent() && self.next(flow)? {
            budget.chain(flow.chain);
            self.begin(flow, now)?;
        }
        self.refuse(flow, budget)
    }

    /// The queue was restored: what it has as taken is taken up again by [`take`](Self::take), before anything else.
    pub const fn resume(&mut self) {
        self.resuming = Some(0);
    }

    /// Has the next request in the chain. False: there is none.
    fn next<M: Shared>(&mut self, flow: &mut Flow<'_, M>) -> Result<bool, Fault> {
        if let Some(from) = self.resuming {
            let head = flow.queue.taken().find(|head| *head >= from);
            self.resuming = head.map(|head| head.saturating_add(1));
            if let Some(head) = head {
                flow.queue.again(flow.memory, head, flow.chain)?;
                return Ok(true);
            }
        }
        flow.queue.take(flow.memory, flow.chain)
    }

    /// Judges the request in the chain.
    fn begin<M: Shared>(&mut self, flow: &mut Flow<'_, M>, now: u64) -> Result<(), Fault> {
        let Flow { queue, memory, chain } = flow;
        match request::read(&self.disk, *memory, chain)? {
            Judged::Do(Request { action, offset, length }) => {
                let command = match action {
                    Action::Read => Command::Read,
                    Action::Write => Command::Write,
                    Action::Flush => Command::Flush,
                    Action::Discard => Command::Trim,
                    Action::WriteZeroes(hole) => Command::WriteZeroes(hole),
                };
                let deadline = now.saturating_add(self.timeout);
                if !self.client.ask(nbd::Request { command, offset, length, head: chain.head(), deadline }) {
                    return give_back(queue, *memory, chain, 0, Status::Error);
                }
                Ok(())
            }
            Judged::Name => {
                let written = chain.writer().write(*memory, &self.disk.name)?;
                give_back(queue, *memory, chain, written as u32, Status::Ok)
            }
            Judged::Over(status) => give_back(queue, *memory, chain, 0, status),
        }
    }

    /// The disk's driver stood still for so many ticks, which count for no request.
    pub fn postpone(&mut self, ticks: u64) {
        self.client.postpone(ticks);
    }

    /// Fills a buffer of the server's with what goes to it. Returns how many bytes that were. Whoever has taken the buffer's chain
    /// has told the budget of it. `flow` is none while the driver does not use its queue: then nobody waits for any request.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the disk's driver.
    pub fn send<M: Shared>(
        &mut self,
        mut flow: Option<&mut Flow<'_, M>>,
        to: &mut Cursor<'_>,
        server: &mut M,
        budget: &mut Budget,
    ) -> Result<u32, Fault> {
        if let Some(flow) = flow.as_deref_mut() {
            self.refuse(flow, budget)?;
        }
        let before = to.left();
        while to.left() > 0 && !budget.is_spent() {
            let moved = match self.client.next_out() {
                Out::None => break,
                Out::Bytes(bytes) => {
                    budget.message();
                    to.write(server, &bytes)? as u32
                }
                Out::Data { head, at, left } => {
                    let Some(flow) = flow.as_deref_mut() else { break };
                    flow.queue.again(flow.memory, head, flow.chain)?;
                    budget.chain(flow.chain);
                    let mut data = data(flow.chain, Command::Write);
                    data.skip(at);
                    // It was judged to have as much; a chain that is shorter now was changed.
                    if data.left() < left {
                        return Err(Fault::Changed { head });
                    }
                    data.copy(flow.memory, to, server, left.min(budget.bytes()))?
                }
            };
            if moved == 0 {
                break;
            }
            budget.copied(moved);
            self.client.moved_out(moved);
        }
        Ok(before.saturating_sub(to.left()))
    }

    /// Takes what came from the server. Whoever has taken the chain that it came in has told the budget of it; `flow` is as for
    /// [`send`](Self::send). The outer error is a fault of the disk's driver; the inner one of the server: the connection is to
    /// be cut.
    ///
    /// # Errors
    ///
    /// [`Fault`].
    pub fn receive<M: Shared>(
        &mut self,
        mut flow: Option<&mut Flow<'_, M>>,
        from: &mut Cursor<'_>,
        server: &mut M,
        budget: &mut Budget,
    ) -> Result<Result<(), Broken>, Fault> {
        while from.left() > 0 && !budget.is_spent() {
            let moved = match self.client.next_in() {
                // Nobody has asked for it: bytes behind the end of a connection.
                In::None => {
                    from.skip(u32::MAX);
                    break;
                }
                In::Bytes(wants) => {
                    let mut bytes = [0; 32];
                    let wants = bytes.get_mut(..wants.min(32)).unwrap_or_default();
                    let there = from.read(server, wants)?;
                    budget.message();
                    match self.client.hear(wants.get(..there).unwrap_or_default()) {
                        Ok(Some(done)) => {
                            if let Some(flow) = flow.as_deref_mut() {
                                self.finish(flow, done, budget)?;
                            }
                        }
                        Ok(None) => {}
                        Err(broken) => return Ok(Err(broken)),
                    }
                    there as u32
                }
                In::Skip(left) => {
                    let there = left.min(from.left());
                    from.skip(there);
                    // Nobody waits for what is passed over.
                    self.client.moved_in(there);
                    there
                }
                In::Data { head, at, left } => {
                    let Some(flow) = flow.as_deref_mut() else { break };
                    flow.queue.again(flow.memory, head, flow.chain)?;
                    budget.chain(flow.chain);
                    let mut room = data(flow.chain, Command::Read);
                    room.skip(at);
                    if room.left() < left {
                        return Err(Fault::Changed { head });
                    }
                    let moved = from.copy(server, &mut room, flow.memory, left.min(budget.bytes()))?;
                    if let Some(done) = self.client.moved_in(moved) {
                        self.answer(flow, done)?;
                    }
                    moved
                }
            };
            budget.copied(moved);
        }
        Ok(Ok(()))
    }

    /// Answers requests whose time is over at `now`, as far as the budget goes; what is left has a deadline that is over. Returns
    /// whether the connection is to be cut.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the disk's driver.
    pub fn expire<M: Shared>(&mut self, flow: &mut Flow<'_, M>, now: u64, budget: &mut Budget) -> Result<bool, Fault> {
        let mut cut = false;
        while !budget.is_spent()
            && let Some((done, broken)) = self.client.late(now)
        {
            cut |= broken;
            self.finish(flow, done, budget)?;
        }
        Ok(cut)
    }

    /// Answers requests that are over without the server, as far as the budget goes.
    fn refuse<M: Shared>(&mut self, flow: &mut Flow<'_, M>, budget: &mut Budget) -> Result<(), Fault> {
        while !budget.is_spent()
            && let Some(done) = self.client.refused()
        {
            self.finish(flow, done, budget)?;
        }
        Ok(())
    }

    /// Gives a request back.
    fn finish<M: Shared>(&mut self, flow: &mut Flow<'_, M>, done: Done, budget: &mut Budget) -> Result<(), Fault> {
        flow.queue.again(flow.memory, done.request().head, flow.chain)?;
        budget.chain(flow.chain);
        self.answer(flow, done)
    }

    /// Gives the request back whose chain was just read.
    fn answer<M: Shared>(&mut self, flow: &mut Flow<'_, M>, done: Done) -> Result<(), Fault> {
        let (request, status) = match done {
            Done::Ok(request) => (request, Status::Ok),
            Done::Error(request) => (request, Status::Error),
            Done::Unsupported(request) => (request, Status::Unsupported),
        };
        if flow.chain.writable() == 0 {
            return Err(Fault::Changed { head: request.head });
        }
        let moved = if status == Status::Ok && matches!(request.command, Command::Read | Command::Write) {
            request.length
        } else {
            0
        };
        let written = if request.command == Command::Read { moved } else { 0 };
        if flow.chain.writable().saturating_sub(1) < written {
            return Err(Fault::Changed { head: request.head });
        }
        self.moved = self.moved.wrapping_add(u64::from(moved));
        give_back(flow.queue, flow.memory, flow.chain, written, status)
    }
}

/// The data of a request, for a command that has some.
fn data(chain: &Chain, command: Command) -> Cursor<'_> {
    if command == Command::Write {
        let mut cursor = chain.reader();
        cursor.skip(HEADER);
        cursor
    } else {
        // The last byte is the status.
        let mut cursor = chain.writer();
        cursor.truncate(cursor.left().saturating_sub(1));
        cursor
    }
}
