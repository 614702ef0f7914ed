//! A piece of work: frames of one port go to others.

use portcullis_links::network::{Dropped, Frame, Given, Ports, RECEIVE, Stage, TRANSMIT, deliver};
use portcullis_virtio::{Budget, Chain, Fault, Queue};

use super::lane::Lane;
use super::plug::queue_name;
use super::{Desk, Network, Port};
use crate::devices::owner::Owner;
use crate::links::peer::Peer;
use crate::memory::guest::GuestMemory;

/// What a piece of work goes on with.
struct Piece<'a> {
    network: &'a Network,
    /// The port whose frames these are.
    from: usize,
    memory: GuestMemory,
    budget: Budget,
    /// Ports that got frames.
    touched: Ports,
    /// The port that was reached last, and the memory of its VM.
    reached: Option<(usize, GuestMemory)>,
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
        let call = |end: usize| {
            if let Some(peer) = self.ports.get(end).and_then(Port::peer) {
                peer.call();
            }
        };
        self.desk.work(from, piece, call);
    }

    /// A piece of work for port `from`. Returns whether there is more.
    fn piece(&self, desk: &mut Desk, from: usize, port: &Port, peer: &dyn Peer, owner: &dyn Owner) -> bool {
        let Some(memory) = peer.memory().filter(|_| peer.runs()) else { return false };
        let Some(mut queue) = desk.lanes.get_mut(from).and_then(|lane| lane.transmit.take()) else { return false };
        let mut piece =
            Piece { network: self, from, memory, budget: Budget::new(), touched: Ports::default(), reached: None };
        let done = piece.send(desk, &mut queue);
        piece.show_receivers(&mut desk.lanes);
        let shown = done.and_then(|more| queue.publish(&mut piece.memory).map(|interrupts| (more, interrupts)));
        match shown {
            Ok((more, interrupts)) => {
                if interrupts {
                    port.registers.interrupt(owner);
                }
                if let Some(lane) = desk.lanes.get_mut(from) {
                    lane.transmit = Some(queue);
                }
                more
            }
            Err(fault) => {
                port.registers.fail(peer, owner, self, queue_name(TRANSMIT), fault);
                false
            }
        }
    }
}

impl Piece<'_> {
    /// Sends frames until there is none, or the budget is spent. Returns whether there may be more.
    fn send(&mut self, desk: &mut Desk, queue: &mut Queue) -> Result<bool, Fault> {
        let Desk { lanes, sent, stage, room } = desk;
        queue.silence(&mut self.memory)?;
        // Where all that was known of is done, the driver is told at once to notify, which looks for more as well.
        let mut looks = true;
        while !self.budget.is_spent() {
            let Some(lane) = lanes.get_mut(self.from) else { return Ok(false) };
            let left = match lane.current.take() {
                Some((head, left)) => {
                    queue.again(&mut self.memory, head, sent)?;
                    Some(left)
                }
                None if (looks || queue.is_known()) && queue.take(&mut self.memory, sent)? => None,
                None if queue.listen(&mut self.memory)? => continue,
                None => return Ok(false),
            };
            looks = false;
            self.budget.chain(sent);
            let Some((frame, to)) = self.judge(lane, sent, stage, left)? else {
                queue.put(&mut self.memory, sent.head(), 0)?;
                continue;
            };
            let missing = self.pass(lanes, room, &frame, to);
            if missing.is_empty() {
                queue.put(&mut self.memory, sent.head(), 0)?;
            } else if let Some(lane) = lanes.get_mut(self.from) {
                lane.current = Some((sent.head(), missing));
                return Ok(true);
            }
        }
        Ok(true)
    }

    /// Reads the frame in `sent`, and says who is to get it: `left` of them, if others have it already. None: it is dropped,
    /// and counted.
    fn judge<'a>(
        &mut self,
        lane: &mut Lane,
        sent: &'a Chain,
        stage: &'a mut Stage,
        left: Option<Ports>,
    ) -> Result<Option<(Frame<'a>, Ports)>, Fault> {
        let Network { config, switch, .. } = self.network;
        let read = Frame::read(&mut self.memory, sent, stage, lane.features, config.mtu)?;
        let judged = read.and_then(|frame| {
            if left.is_none() && !lane.is_within_rate() {
                return Err(Dropped::Rate);
            }
            let to = switch.route(self.from, &frame)?;
            Ok((frame, to))
        });
        Ok(match (judged, left) {
            // What it is now counts: some have it as it was.
            (Ok((frame, to)), Some(left)) => Some((frame, to.and(left))),
            (Ok((frame, to)), None) => {
                lane.traffic.counters.send(frame.length());
                Some((frame, to))
            }
            (Err(reason), _) => {
                lane.traffic.drop(reason);
                None
            }
        })
    }

    /// Gives a frame to the ports `to`. Returns those that get it by another piece of work.
    fn pass(&mut self, lanes: &mut [Lane], room: &mut Chain, frame: &Frame<'_>, to: Ports) -> Ports {
        let mut left = to;
        loop {
            let missing = left;
            let Some(number) = left.pop() else { return missing };
            if self.budget.is_spent() {
                return missing;
            }
            let Some((port, lane)) = self.network.ports.get(number).zip(lanes.get_mut(number)) else { continue };
            match self.give(number, port, lane, room, frame) {
                Given::Done => {
                    self.touched = self.touched.with(Ports::of(number));
                    lane.traffic.counters.receive(frame.length());
                    if let Some(sender) = lanes.get_mut(self.from) {
                        sender.traffic.counters.copy();
                    }
                }
                Given::Dropped(reason) => self.drop(port, lane, reason),
                Given::Later => return missing,
            }
        }
    }

    /// Gives a frame to a port.
    fn give(&mut self, number: usize, port: &Port, lane: &mut Lane, room: &mut Chain, frame: &Frame<'_>) -> Given {
        const DOWN: Given = Given::Dropped(Dropped::Down);
        let Some(peer) = port.peer().filter(|peer| peer.runs()) else { return DOWN };
        // Nothing is mapped of a VM that has no queue: it may be about to be loaded, which waits until nothing is.
        let Some(queue) = &mut lane.receive else { return DOWN };
        let Some(memory) = reach(&mut self.reached, number, peer) else { return DOWN };
        match deliver(frame, &mut self.memory, queue, memory, room, lane.features, &mut self.budget) {
            Ok(given) => given,
            Err(fault) => {
                lane.receive = None;
                port.registers.fail(peer, peer, self.network, queue_name(RECEIVE), fault);
                DOWN
            }
        }
    }

    #[cold]
    fn drop(&self, port: &Port, lane: &mut Lane, reason: Dropped) {
        if lane.traffic.drop(reason)
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
    fn show_receivers(&mut self, lanes: &mut [Lane]) {
        while let Some(number) = self.touched.pop() {
            let Some((port, lane)) = self.network.ports.get(number).zip(lanes.get_mut(number)) else { continue };
            let Some(peer) = port.peer() else { continue };
            let Some(queue) = &mut lane.receive else { continue };
            let Some(memory) = reach(&mut self.reached, number, peer) else { continue };
            match queue.publish(memory) {
                Ok(true) => port.registers.interrupt(peer),
                Ok(false) => {}
                Err(fault) => {
                    lane.receive = None;
                    port.registers.fail(peer, peer, self.network, queue_name(RECEIVE), fault);
                }
            }
        }
    }
}

/// The memory of the VM at port `number`, as it was reached last or anew: what it remembers of its slots serves several frames.
fn reach<'a>(
    reached: &'a mut Option<(usize, GuestMemory)>,
    number: usize,
    peer: &dyn Peer,
) -> Option<&'a mut GuestMemory> {
    if reached.as_ref().is_none_or(|(last, _)| *last != number) {
        *reached = peer.memory().map(|memory| (number, memory));
    }
    reached.as_mut().map(|(_, memory)| memory)
}
