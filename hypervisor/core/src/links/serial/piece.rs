//! A piece of work: bytes of one end go to the other.

use portcullis_links::serial::{Broken, Flow as Moving, Progress, Side, Wait};
use portcullis_virtio::Budget;

use super::desk::{Ask, Desk, Lane};
use super::{Owners, SIDES, Serial};
use crate::links::console::{Flow, News, Queues};
use crate::links::peer::Peer;
use crate::memory::guest::Hold;

impl Serial {
    /// Moves bytes of `from`. Returns whether there is more.
    pub(super) fn piece(&self, desk: &mut Desk, from: Side, owners: Owners<'_>) -> bool {
        for side in SIDES {
            if let Some(news) = self.jack(side).and_then(|jack| jack.news()) {
                self.take_note(desk, side, news, owners.side);
            }
        }
        let mut budget = Budget::new();
        loop {
            self.show(desk, owners);
            match self.flow(desk, from, owners, &mut budget) {
                // Another session goes on when the driver knows of it.
                Ok(Progress::Turned) => {}
                Ok(progress) => return progress == Progress::More,
                Err(Broken { side, fault }) => {
                    let flow = if side == from { Flow::Transmit } else { Flow::Receive };
                    owners.with(self, side, |owner| {
                        self.jack(side).into_iter().for_each(|jack| jack.fail(owner, flow, fault));
                    });
                    self.lose(desk, side, owners);
                    // The other end gets back what it has sent.
                    return side != from;
                }
            }
        }
    }

    /// The driver of one side has said something. `by` works for what follows from it.
    fn take_note(&self, desk: &mut Desk, side: Side, News { closed, open, shown, turn, .. }: News, by: Side) {
        let lane = desk.lane(side);
        (lane.shown, lane.turn) = (shown, turn);
        if let Some(sent) = closed {
            let waiting = self.waiting(desk, side.other());
            // It may have been opened and closed at once.
            desk.pair.open(side);
            if desk.lane(side).queues.transmit.is_some() {
                desk.pair.close(side, sent, waiting);
            } else {
                desk.pair.vanish(side, waiting);
            }
            SIDES.into_iter().for_each(|from| self.desk.mark(Ask { by, from }.number()));
        }
        if open {
            desk.pair.open(side);
        }
    }

    /// Shows each port who is at the other end.
    fn show(&self, desk: &mut Desk, owners: Owners<'_>) {
        for side in SIDES {
            let session = desk.pair.session(side);
            let lane = desk.lane(side);
            if session == lane.told {
                continue;
            }
            lane.told = session;
            owners.with(self, side, |owner| {
                lane.shown = self.jack(side).and_then(|jack| jack.show(owner, session));
            });
        }
    }

    /// An end is there no more, with its queues. The other one is told.
    pub(super) fn lose(&self, desk: &mut Desk, side: Side, owners: Owners<'_>) {
        let waiting = self.waiting(desk, side.other());
        let lane = desk.lane(side);
        (lane.queues, lane.shown) = (Queues::default(), None);
        desk.pair.vanish(side, waiting);
        self.show(desk, owners);
    }

    /// The index behind what the VM of one side has sent.
    fn waiting(&self, desk: &mut Desk, side: Side) -> u16 {
        let Some(queue) = &mut desk.lane(side).queues.transmit else { return 0 };
        // What it has done to its queue is found when that is worked at.
        let memory = self.peer(side).and_then(Peer::memory);
        memory.and_then(|mut memory| queue.end(&mut memory).ok()).unwrap_or(queue.position())
    }

    /// Moves bytes as far as there are some, there is room for them, and the budget goes, and shows both drivers what was done. If
    /// one of them has closed its port meanwhile, or opened it, nothing was done: what was moved may be another session's.
    fn flow(&self, desk: &mut Desk, from: Side, owners: Owners<'_>, budget: &mut Budget) -> Result<Progress, Broken> {
        const NOTHING: Progress = Progress::Idle(Wait::Reader);
        let (sender, receiver, pair, [source, target]) = desk.split(from);
        // Nothing is mapped of a VM that has no queue: it may be about to be loaded.
        let Some(queue) = &mut sender.queues.transmit else { return Ok(NOTHING) };
        #[cfg(test)]
        crate::tests::meanwhile::place();
        let Some(jack) = self.jack(from) else { return Ok(NOTHING) };
        let Some(sent) = jack.peer().and_then(|peer| peer.reach(&mut sender.memory)) else { return Ok(NOTHING) };
        let Lane { queues: Queues { receive, .. }, memory: kept, shown, turn: taken, .. } = receiver;
        sent.hold(Hold::First, queue.rings());
        let taker = self.peer(from.other());
        let mut to = receive.as_mut().and_then(|queue| Some((queue, taker?.reach(kept)?)));
        if let Some((queue, memory)) = &mut to {
            memory.hold(Hold::Second, queue.rings());
        }
        let by = |side| move |fault| Broken { side, fault };
        let (by_sender, by_receiver) = (by(from), by(from.other()));

        let before = (queue.mark(), pair.mark(from));
        let empty = to.as_ref().map(|(queue, _)| queue.mark());
        queue.silence(sent).map_err(by_sender)?;
        if let Some((queue, memory)) = &mut to {
            queue.silence(*memory).map_err(by_receiver)?;
        }
        let done = loop {
            let mut moving = Moving { queue: &mut *queue, memory: &mut *sent, chain: &mut *source };
            let mut taking =
                to.as_mut().map(|(queue, memory)| Moving { queue, memory: &mut **memory, chain: &mut *target });
            let progress = pair.work(from, *shown, &mut moving, taking.as_mut(), budget);
            let came = match (&progress, &mut taking) {
                (Ok(Progress::Idle(Wait::Bytes)), _) => moving.queue.listen(moving.memory).map_err(by_sender),
                (Ok(Progress::Idle(Wait::Room)), Some(taking)) => {
                    taking.queue.listen(taking.memory).map_err(by_receiver)
                }
                _ => Ok(false),
            };
            match came {
                Ok(true) => {}
                Ok(false) => break progress,
                Err(broken) => break Err(broken),
            }
        };
        #[cfg(test)]
        crate::tests::meanwhile::place_beside([Some(&mut *sent), to.as_mut().map(|(_, memory)| &mut **memory)]);
        let mut same = jack.turn() == sender.turn;
        let mut came = Ok(());
        if same
            && let Some((queue, memory)) = &mut to
            && let Some(owner) = owners.of(from.other(), taker)
            && let Some(jack) = self.place(from.other()).get()
        {
            match jack.publish(owner, *taken, queue, memory, false) {
                Ok(still) => same = still,
                Err(fault) => came = Err(by_receiver(fault)),
            }
        }
        if !same {
            queue.rewind(before.0);
            pair.undo(from, before.1);
            to.into_iter().zip(empty).for_each(|((queue, _), empty)| queue.rewind(empty));
            return Ok(Progress::More);
        }
        if queue.publish(sent).map_err(by_sender)? {
            owners.with(self, from, |owner| jack.interrupt(owner));
        }
        came.and(done)
    }
}
