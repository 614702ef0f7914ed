//! A piece of work: requests are taken, and bytes move between the driver and the server.

use portcullis_arch::timer;
use portcullis_links::disk::Flow as Requests;
use portcullis_links::nbd::Broken;
use portcullis_links::serial::Change;
use portcullis_virtio::{Budget, Chain, Fault, Mark, Queue};

use super::desk::{Desk, Kept};
use super::{Client, Owners, Served, Who};
use crate::devices::owner::Owner;
use crate::links::console::{Flow, Jack, News, Queues, publish_in_turn};
use crate::memory::guest::{GuestMemory, Hold};

/// Whose driver went against the specification.
enum Failed {
    Client(Fault),
    Server(Flow, Fault),
}

/// What became of a connection by a piece of work.
#[derive(Default)]
struct Came {
    /// It is to be cut.
    cut: bool,
    /// The server's port was closed or opened meanwhile: what comes from there is perhaps another one's.
    turned: bool,
    /// What the server said that nobody understands.
    broken: Option<Broken>,
}

/// The memory of both VMs, as far as it can be touched.
struct Memory<'a> {
    client: Option<&'a mut GuestMemory>,
    server: Option<&'a mut GuestMemory>,
}

impl Served {
    /// Does a piece of what there is to do. Returns whether there is more.
    pub(super) fn piece(&self, desk: &mut Desk, disk: &Client, owners: Owners<'_>) -> bool {
        let Some(mut both) = desk.kept.take() else { return false };
        let [by_client, by_server] = &mut *both;
        let kept = if owners.who == Who::Client { by_client } else { by_server };
        let more = self.piece_with(kept, desk, disk, owners);
        desk.kept = Some(both);
        more
    }

    /// [`piece`](Self::piece), which reaches both VMs by what is `kept` of the piece before.
    fn piece_with(&self, kept: &mut Kept, desk: &mut Desk, disk: &Client, owners: Owners<'_>) -> bool {
        if let Some(news) = self.jack().and_then(|jack| jack.news()) {
            desk.take_note(news);
        }
        self.show(desk, owners);
        let client = match desk.drains {
            None => desk.client.as_ref().and_then(|_| disk.peer()?.reach(&mut kept.client)),
            // It stands still, and what its server has comes to an end.
            Some(_) => disk.peer().and_then(|peer| peer.memory_again(&mut kept.client)),
        };
        if desk.client.is_some() && client.is_none() {
            // It stands still, and its requests with it.
            return false;
        }
        let server = self.server_peer().and_then(|peer| peer.reach(&mut kept.server));
        let mut memory = Memory { client, server };
        if let Some((queue, memory)) = desk.client.as_ref().zip(memory.client.as_deref_mut()) {
            memory.hold(Hold::First, queue.rings());
        }
        if let Some((rings, memory)) = desk.server.rings().zip(memory.server.as_deref_mut()) {
            memory.hold(Hold::Second, rings);
        }
        let mut budget = Budget::new();
        let mut came = Came::default();
        let before = desk.server.receive.as_ref().map(Queue::mark);
        let jack = self.jack();
        #[cfg(test)]
        crate::tests::meanwhile::place_beside([memory.client.as_deref_mut(), memory.server.as_deref_mut()]);
        let done = desk.round(&mut memory, &mut budget, &mut came, jack);
        #[cfg(test)]
        crate::tests::meanwhile::place_beside([memory.client.as_deref_mut(), memory.server.as_deref_mut()]);
        let published = self.publish(desk, disk, &mut memory, owners, before);
        if let Some(broken) = came.broken {
            self.report(disk, broken);
        }
        if came.cut && desk.end.cut() == Change::Lost {
            desk.lose();
        }
        self.set_alarm(desk.requests.client().deadline());
        let more = match done.and_then(|more| published.map(|()| more)) {
            Ok(more) => more || came.cut || came.turned,
            Err(Failed::Client(fault)) => {
                self.drop_client(desk, owners);
                owners.with(Who::Client, disk.peer(), |owner| disk.fail(owner, fault));
                true
            }
            Err(Failed::Server(flow, fault)) => {
                owners.with(Who::Server, self.server_peer(), |owner| {
                    self.drop_server(desk, owner);
                    self.jack().into_iter().for_each(|jack| jack.fail(owner, flow, fault));
                });
                true
            }
        };
        self.show(desk, owners);
        more
    }

    /// Says what came of a server that is none.
    #[cold]
    fn report(&self, disk: &Client, broken: Broken) {
        if let Some((server, client)) = self.server_peer().zip(disk.peer()) {
            let (server_name, client) = (server.name(), client.name());
            server.report(format_args!("{server_name}: {disk} of {client}: its connection is cut: {broken}"));
        }
    }

    /// Shows the server's driver the session that is open.
    fn show(&self, desk: &mut Desk, owners: Owners<'_>) {
        let session = desk.end.session();
        if session != desk.told {
            desk.told = session;
            owners.with(Who::Server, self.server_peer(), |owner| {
                desk.shown = self.jack().and_then(|jack| jack.show(owner, session));
            });
        }
    }

    /// Shows both drivers what was done at their queues. What is for a program that has closed its port meanwhile nobody gets:
    /// `before` is how far the queue was on which it would come, and its requests go to the next one.
    fn publish(
        &self,
        desk: &mut Desk,
        disk: &Client,
        memory: &mut Memory<'_>,
        owners: Owners<'_>,
        before: Option<Mark>,
    ) -> Result<(), Failed> {
        let Memory { client, server } = memory;
        if let Some((queue, memory)) = desk.client.as_mut().zip(client.as_deref_mut())
            && queue.publish(memory).map_err(Failed::Client)?
        {
            owners.with(Who::Client, disk.peer(), |owner| disk.interrupt(owner));
        }
        let (Some(memory), Some(jack)) = (server.as_deref_mut(), self.jack()) else { return Ok(()) };
        let Queues { transmit, receive } = &mut desk.server;
        let by = |flow| move |fault| Failed::Server(flow, fault);
        let due = transmit.as_mut().map_or(Ok(false), |queue| queue.publish(memory)).map_err(by(Flow::Transmit))?;
        let turn = desk.turn;
        let mut done = Ok(());
        owners.with(Who::Server, self.server_peer(), |owner| match receive.as_mut().zip(before) {
            Some(receive) => done = publish_in_turn(receive, memory, (jack, owner), turn, due),
            None if due => jack.interrupt(owner),
            None => {}
        });
        done.map_err(by(Flow::Receive))
    }

    /// The disk's driver does not use its queue any more: nobody waits for its requests.
    pub(super) fn drop_client(&self, desk: &mut Desk, owners: Owners<'_>) {
        desk.client = None;
        if desk.requests.reset() && desk.end.cut() == Change::Lost {
            desk.lose();
            self.show(desk, owners);
        }
    }

    /// The server's driver begins anew, or its VM has ended.
    pub(super) fn drop_server(&self, desk: &mut Desk, owner: &dyn Owner) {
        (desk.server, desk.half, desk.stale, desk.shown) = (Queues::default(), None, None, None);
        desk.end.vanished();
        desk.lose();
        self.show(desk, Owners { who: Who::Server, owner });
    }
}

impl Desk {
    /// The server's driver has said something of its port.
    fn take_note(&mut self, News { ready, closed, open, shown, restored, turn }: News) {
        (self.shown, self.turn) = (shown, turn);
        if ready {
            self.end.ready();
        }
        if let Some(sent) = closed {
            // It may have been opened and closed at once.
            self.end.opened();
            self.end.closed();
            self.lose();
            self.stale = self.server.transmit.as_ref().map(|_| sent);
        }
        if open {
            self.opened |= self.end.opened() == Change::Connected;
        }
        if let Some(sent) = restored {
            // Whoever has it open was connected with another EL2.
            self.end.cut();
            self.lose();
            self.stale = self.server.transmit.as_ref().map(|_| sent);
        }
    }

    /// Whether the server is there and knows of the connection.
    const fn is_connected(&self) -> bool {
        self.end.is_connected() && matches!((self.shown, self.told), (Some(a), Some(b)) if a == b)
    }

    /// Does what there is to do until there is nothing any more, or the budget is spent. Returns whether there may be more.
    fn round(
        &mut self,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
        came: &mut Came,
        jack: Option<Jack>,
    ) -> Result<bool, Failed> {
        let now = timer::count();
        if let Some((queue, memory)) = self.client.as_mut().zip(memory.client.as_deref_mut()) {
            queue.silence(memory).map_err(Failed::Client)?;
        }
        if let Some(memory) = memory.server.as_deref_mut() {
            let Queues { transmit, receive } = &mut self.server;
            for (flow, queue) in [(Flow::Transmit, transmit), (Flow::Receive, receive)] {
                queue
                    .as_mut()
                    .map_or(Ok(()), |queue| queue.silence(memory))
                    .map_err(|fault| Failed::Server(flow, fault))?;
            }
        }
        loop {
            if let Some(memory) = memory.server.as_deref_mut() {
                self.discard_stale(memory, budget)?;
            }
            if self.opened && self.stale.is_none() {
                self.opened = false;
                self.requests.open();
            }
            self.come(memory, budget, came, jack)?;
            if let Some(mut flow) = flow(&mut self.client, &mut memory.client, &mut self.request)
                && self.drains.is_none()
            {
                came.cut |= self.requests.expire(&mut flow, now, budget).map_err(Failed::Client)?;
                self.requests.take(&mut flow, now, budget).map_err(Failed::Client)?;
            }
            let waits = self.go(memory, budget, came)?;
            if budget.is_spent() {
                return Ok(true);
            }
            if came.cut || came.turned || !self.listen(memory, waits)? {
                return Ok(false);
            }
        }
    }

    /// Has drivers notify what comes. Returns whether something came meanwhile. `waits`: there are bytes for the server that
    /// have no room.
    fn listen(&mut self, memory: &mut Memory<'_>, waits: bool) -> Result<bool, Failed> {
        let mut came = false;
        if let Some((queue, memory)) = self.client.as_mut().zip(memory.client.as_deref_mut())
            && self.requests.client().has_room()
            && self.drains.is_none()
        {
            came |= queue.listen(memory).map_err(Failed::Client)?;
        }
        let Some(memory) = memory.server.as_deref_mut() else { return Ok(came) };
        let Queues { transmit, receive } = &mut self.server;
        if let Some(queue) = transmit {
            came |= queue.listen(memory).map_err(|fault| Failed::Server(Flow::Transmit, fault))?;
        }
        if let Some(queue) = receive.as_mut().filter(|_| waits) {
            came |= queue.listen(memory).map_err(|fault| Failed::Server(Flow::Receive, fault))?;
        }
        Ok(came)
    }

    /// Passes over what the server has sent by a connection that is over.
    fn discard_stale(&mut self, memory: &mut GuestMemory, budget: &mut Budget) -> Result<(), Failed> {
        let Self { server: Queues { transmit: Some(queue), .. }, stale, half, buffer, .. } = self else {
            return Ok(());
        };
        let Some(end) = *stale else { return Ok(()) };
        let by_server = |fault| Failed::Server(Flow::Transmit, fault);
        if let Some((head, _)) = half.take() {
            queue.put(memory, head, 0).map_err(by_server)?;
        }
        while queue.position() != end {
            if budget.is_spent() {
                return Ok(());
            }
            if !queue.take(memory, buffer).map_err(by_server)? {
                break;
            }
            budget.chain(buffer);
            queue.put(memory, buffer.head(), 0).map_err(by_server)?;
        }
        *stale = None;
        Ok(())
    }

    /// Takes in what came from the server, until there is nothing, or the budget is spent.
    fn come(
        &mut self,
        memory: &mut Memory<'_>,
        budget: &mut Budget,
        came: &mut Came,
        jack: Option<Jack>,
    ) -> Result<(), Failed> {
        let by_server = |fault| Failed::Server(Flow::Transmit, fault);
        let turn = self.turn;
        while self.stale.is_none() && !came.cut && !budget.is_spent() {
            let Self { requests: disk, client, server, half, request, buffer, .. } = self;
            let Memory { client: client_memory, server: reached } = &mut *memory;
            let Some(memory) = reached.as_deref_mut() else { break };
            let Some(queue) = &mut server.transmit else { break };
            let done = match half.take() {
                Some((head, done)) => {
                    queue.again(memory, head, buffer).map_err(by_server)?;
                    done
                }
                None if queue.take(memory, buffer).map_err(by_server)? => 0,
                None => break,
            };
            budget.chain(buffer);
            if jack.is_some_and(|jack| jack.turn() != turn) {
                // It is the next one's, perhaps, and waits for what is told of that.
                if done > 0 {
                    *half = Some((buffer.head(), done))
                } else {
                    queue.rewind(queue.before(buffer.head()))
                }
                came.turned = true;
                break;
            }
            let mut from = buffer.reader();
            from.skip(done);
            let before = from.left();
            let mut flow = flow(client, client_memory, request);
            match disk.receive(flow.as_mut(), &mut from, memory, budget).map_err(Failed::Client)? {
                Ok(()) if from.left() > 0 => {
                    *half = Some((buffer.head(), buffer.readable().saturating_sub(from.left())));
                    if from.left() == before {
                        break;
                    }
                }
                Ok(()) => queue.put(memory, buffer.head(), 0).map_err(by_server)?,
                Err(broken) => {
                    queue.put(memory, buffer.head(), 0).map_err(by_server)?;
                    (came.cut, came.broken) = (true, Some(broken));
                }
            }
        }
        Ok(())
    }

    /// Fills buffers of the server's with what goes to it. Returns whether there is something that has no room.
    fn go(&mut self, memory: &mut Memory<'_>, budget: &mut Budget, came: &Came) -> Result<bool, Failed> {
        let by_server = |fault| Failed::Server(Flow::Receive, fault);
        while self.is_connected() && self.requests.client().has_out() && !came.cut && !budget.is_spent() {
            let Self { requests: disk, client, server, request, buffer, .. } = self;
            let Memory { client: client_memory, server: reached } = &mut *memory;
            let Some(memory) = reached.as_deref_mut() else { break };
            let Some(queue) = &mut server.receive else { break };
            let mark = queue.mark();
            if !queue.take(memory, buffer).map_err(by_server)? {
                return Ok(true);
            }
            budget.chain(buffer);
            let mut flow = flow(client, client_memory, request);
            let sent = disk.send(flow.as_mut(), &mut buffer.writer(), memory, budget).map_err(Failed::Client)?;
            if sent == 0 {
                queue.rewind(mark);
                break;
            }
            queue.put(memory, buffer.head(), sent).map_err(by_server)?;
        }
        Ok(false)
    }
}

/// The driver's end, if its queue is in use and its memory can be touched.
fn flow<'a>(
    queue: &'a mut Option<Queue>,
    memory: &'a mut Option<&mut GuestMemory>,
    chain: &'a mut Chain,
) -> Option<Requests<'a, GuestMemory>> {
    let (queue, memory) = queue.as_mut().zip(memory.as_deref_mut())?;
    Some(Requests { queue, memory, chain })
}
