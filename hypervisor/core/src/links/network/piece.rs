//! A piece of work: frames of one port go to others.

use portcullis_links::network::{
    Dropped, Frame, Given, Ports, RECEIVE, Rate, Stage, Straight, TRANSMIT, Traffic, deliver,
};
use portcullis_virtio::{Budget, Chain, Fault, Queue};

use super::lane::{self, Reached, Receiver, Sender};
use super::plug::queue_name;
use super::{Desk, Network, Port};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::memory::guest::{GuestMemory, Hold};

/// What a piece of work goes on with.
struct Piece<'a> {
    network: &'a Network,
    /// The port whose frames these are, and the memory of its VM.
    from: usize,
    memory: &'a mut GuestMemory,
    /// The port that was reached last, and the memory of its VM; whether that was in this piece of work.
    reached: &'a mut Reached,
    is_reached: bool,
    receivers: &'a mut [Receiver],
    traffic: &'a mut [Traffic],
    budget: Budget,
    /// Ports that got frames.
    touched: Ports,
}

/// What is known of who sends, besides.
struct Source<'a> {
    queue: &'a mut Queue,
    features: u64,
    current: &'a mut Option<(u16, Ports)>,
    rate: &'a mut Option<Rate>,
    last: &'a mut u8,
}

impl Network {
    /// Sends what port `from`, whose VM `owner` is, has to send: a piece of that.
    pub(super) fn send(&self, from: usize, owner: &dyn Owner) {
        let piece = |desk: &mut Desk, end: usize| {
            let Some((port, peer)) = self.ports.get(end).and_then(|port| Some((port, port.peer()?))) else {
                return false;
            };
            let owner = if end == from { owner } else { peer };
            self.piece(desk, end, port, peer, owner)
        };
        self.desk.work(from, piece, |port| self.call(port));
    }

    /// A piece of work for port `from`. Returns whether there is more.
    fn piece(&self, desk: &mut Desk, from: usize, port: &Port, peer: &dyn Peer, owner: &dyn Owner) -> bool {
        let Desk { senders, receivers, traffic, sent, stage, room, .. } = desk;
        let Some(sender) = senders.get_mut(from) else { return false };
        let Sender { queue: place, features, current, rate, last, memory, reached } = sender;
        let Some((queue, memory)) = place.as_mut().zip(peer.reach(memory)) else { return false };
        memory.hold(Hold::First, queue.rings());
        let (budget, touched) = (Budget::new(), Ports::default());
        let mut piece =
            Piece { network: self, from, memory, reached, is_reached: false, receivers, traffic, budget, touched };
        let mut source = Source { queue, features: *features, current, rate, last };
        let done = piece.send(&mut source, sent, stage, room);
        piece.show_receivers();
        let shown = done.and_then(|more| source.queue.publish(piece.memory).map(|interrupts| (more, interrupts)));
        match shown {
            Ok((more, interrupts)) => {
                if interrupts {
                    port.registers.interrupt(owner);
                }
                more
            }
            Err(fault) => {
                *place = None;
                port.registers.fail(peer, owner, self, queue_name(TRANSMIT), fault);
                false
            }
        }
    }
}

impl Piece<'_> {
    /// Sends frames until there is none, or the budget is spent. Returns whether there may be more.
    fn send(
        &mut self,
        source: &mut Source<'_>,
        sent: &mut Chain,
        stage: &mut Stage,
        room: &mut Chain,
    ) -> Result<bool, Fault> {
        source.queue.silence(self.memory)?;
        // Where all that was known of is done, the driver is told at once to notify, which looks for more as well.
        let mut looks = true;
        while !self.budget.is_spent() {
            if (looks || source.queue.is_known()) && self.send_straight(source)? {
                looks = false;
                continue;
            }
            let queue = &mut *source.queue;
            let left = match source.current.take() {
                Some((head, left)) => {
                    queue.again(self.memory, head, sent)?;
                    Some(left)
                }
                None if (looks || queue.is_known()) && queue.take(self.memory, sent)? => None,
                None if queue.listen(self.memory)? => continue,
                None => return Ok(false),
            };
            looks = false;
            self.budget.chain(sent);
            let mut frame = Frame::of(sent, stage);
            let reason = frame.judge(self.memory, source.features, self.network.config.mtu)?;
            let missing = match reason.map_or_else(|| self.route(source, &frame, left), Err) {
                Ok(to) => self.pass(room, &frame, to),
                Err(reason) => {
                    self.traffic.get_mut(self.from).into_iter().for_each(|traffic| _ = traffic.drop(reason));
                    Ports::default()
                }
            };
            if !missing.is_empty() {
                *source.current = Some((sent.head(), missing));
                return Ok(true);
            }
            source.queue.put(self.memory, sent.head(), 0)?;
        }
        self.is_more(source)
    }

    /// Whether there may be more when the budget is spent: a piece that was enough for all that there was has no other one behind
    /// it that finds nothing.
    #[cold]
    #[inline(never)]
    fn is_more(&mut self, source: &mut Source<'_>) -> Result<bool, Fault> {
        if source.current.is_some() || source.queue.is_known() {
            return Ok(true);
        }
        source.queue.listen(self.memory)
    }

    /// Sends the next frame the short way, to the port that was sent to last. False: there is none, or it goes another way.
    #[inline(always)]
    fn send_straight(&mut self, source: &mut Source<'_>) -> Result<bool, Fault> {
        let Self { network, from, memory, receivers, reached, is_reached, traffic, budget, touched } = self;
        if source.current.is_some() || source.rate.is_some() {
            return Ok(false);
        }
        let Some(frame) = Straight::look(source.queue, *memory, network.config.mtu) else { return Ok(false) };
        let Some(number) = network.switch.again(*from, frame.addresses(), *source.last) else { return Ok(false) };
        let Some(Receiver { queue: Some(queue), .. }) = receivers.get_mut(number) else { return Ok(false) };
        let Some(peer) = network.ports.get(number).and_then(Port::peer) else { return Ok(false) };
        let Some(to) = reach(reached, is_reached, number, peer, queue, true) else { return Ok(false) };
        if !frame.deliver(*memory, queue, to) {
            return Ok(false);
        }
        frame.done(source.queue, *memory)?;
        budget.passed(frame.length());
        *touched = touched.with(Ports::of(number));
        if let Some(traffic) = traffic.get_mut(number) {
            traffic.counters.receive(frame.length());
        }
        if let Some(traffic) = traffic.get_mut(*from) {
            traffic.counters.send(frame.length());
            traffic.counters.copy();
        }
        Ok(true)
    }

    /// Says who is to get a frame: `left` of them, if others have it already.
    #[inline(always)]
    fn route(&mut self, source: &mut Source<'_>, frame: &Frame<'_>, left: Option<Ports>) -> Result<Ports, Dropped> {
        if left.is_none() && !lane::is_within(source.rate) {
            return Err(Dropped::Rate);
        }
        let to = self.network.switch.route_again(self.from, frame, source.last)?;
        Ok(match left {
            // What it is now counts: some have it as it was.
            Some(left) => to.and(left),
            None => {
                if let Some(traffic) = self.traffic.get_mut(self.from) {
                    traffic.counters.send(frame.length());
                }
                to
            }
        })
    }

    /// Gives a frame to the ports `to`. Returns those that get it by another piece of work.
    #[inline(always)]
    fn pass(&mut self, room: &mut Chain, frame: &Frame<'_>, to: Ports) -> Ports {
        let mut left = to;
        loop {
            let missing = left;
            let Some(number) = left.pop() else { return missing };
            if self.budget.is_spent() {
                return missing;
            }
            match self.give(number, room, frame) {
                Given::Done => {
                    self.touched = self.touched.with(Ports::of(number));
                    if let Some(traffic) = self.traffic.get_mut(number) {
                        traffic.counters.receive(frame.length());
                    }
                    if let Some(traffic) = self.traffic.get_mut(self.from) {
                        traffic.counters.copy();
                    }
                }
                Given::Dropped(reason) => self.drop(number, reason),
                Given::Later => return missing,
            }
        }
    }

    /// Gives a frame to a port.
    #[inline(always)]
    fn give(&mut self, number: usize, room: &mut Chain, frame: &Frame<'_>) -> Given {
        const DOWN: Given = Given::Dropped(Dropped::Down);
        let Some((port, receiver)) = self.network.ports.get(number).zip(self.receivers.get_mut(number)) else {
            return DOWN;
        };
        let Some(peer) = port.peer() else { return DOWN };
        // Nothing is mapped of a VM that has no queue: it may be about to be loaded, which waits until nothing is.
        let Receiver { queue: Some(queue), features } = receiver else { return DOWN };
        let Some(memory) = reach(self.reached, &mut self.is_reached, number, peer, queue, true) else { return DOWN };
        match deliver(frame, self.memory, queue, memory, room, *features, &mut self.budget) {
            Ok(given) => given,
            Err(fault) => {
                receiver.queue = None;
                port.registers.fail(peer, peer, self.network, queue_name(RECEIVE), fault);
                DOWN
            }
        }
    }

    #[cold]
    fn drop(&mut self, number: usize, reason: Dropped) {
        let Some((port, traffic)) = self.network.ports.get(number).zip(self.traffic.get_mut(number)) else { return };
        if traffic.drop(reason)
            && let Some(peer) = port.peer()
        {
            let (network, vm) = (self.network, peer.name());
            peer.report(format_args!(
                "{vm}: {network}: its driver takes no frames that are to be cut, and gets some; they are dropped \
                 (segmentation = false has the others send none)"
            ));
        }
    }

    /// Shows those that got frames what they got.
    #[inline(always)]
    fn show_receivers(&mut self) {
        while let Some(number) = self.touched.pop() {
            let Some((port, receiver)) = self.network.ports.get(number).zip(self.receivers.get_mut(number)) else {
                continue;
            };
            let Some(peer) = port.peer() else { continue };
            let Some(queue) = &mut receiver.queue else { continue };
            let Some(memory) = reach(self.reached, &mut self.is_reached, number, peer, queue, false) else { continue };
            match queue.publish(memory) {
                Ok(true) => port.registers.interrupt(peer),
                Ok(false) => {}
                Err(fault) => {
                    receiver.queue = None;
                    port.registers.fail(peer, peer, self.network, queue_name(RECEIVE), fault);
                }
            }
        }
    }
}

/// The memory of the VM at port `number`, as it was reached last or anew: what it remembers of its slots serves several frames, and
/// the next piece of work. `is_reached`: that was in this one. `queue`: that of its VM which is worked at. `running`: only if the
/// VM runs, as far as that is asked anew.
#[inline(always)]
fn reach<'a>(
    reached: &'a mut Reached,
    is_reached: &mut bool,
    number: usize,
    peer: &dyn Peer,
    queue: &Queue,
    running: bool,
) -> Option<&'a mut GuestMemory> {
    if *is_reached && reached.port == number {
        return reached.memory.as_mut();
    }
    if reached.port != number {
        *reached = Reached { port: number, memory: None };
    }
    let memory = if running { peer.reach(&mut reached.memory) } else { peer.memory_again(&mut reached.memory) };
    *is_reached = memory.is_some();
    let memory = memory?;
    memory.hold(Hold::Second, queue.rings());
    Some(memory)
}
