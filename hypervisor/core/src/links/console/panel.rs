//! What is behind the lock of a console's registers: what its driver is told, and says.

use core::mem::take;

use portcullis_abi::state::{Unfit, Virtqueue};
use portcullis_links::serial::{Console as Ports, Event, PORTS, Port, QUEUES, queues};
use portcullis_virtio::mmio::Transport;
use portcullis_virtio::{Chain, Fault, Queue};

use super::News;
use crate::links::peer::Peer;
use crate::links::registers::Front;
use crate::memory::guest::GuestMemory;

/// The device's ports, and its queues of messages, if its driver uses them.
pub struct Panel {
    pub(super) ports: Ports,
    /// Buffers for messages to the driver.
    pub(super) tell: Option<Queue>,
    /// Messages of the driver.
    pub(super) hear: Option<Queue>,
    chain: Chain,
    /// By port: what it has said since it was asked last.
    said: [Said; PORTS],
}

#[derive(Clone, Copy, Default)]
struct Said {
    ready: bool,
    closed: Option<u16>,
    restored: Option<u16>,
}

/// What came of messages.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// Ports of which there are news, a bit each.
    pub ports: u32,
    /// There are further messages.
    pub more: bool,
}

impl Front for Panel {
    type Config = [u8; 12];

    fn config(&self) -> [u8; 12] {
        self.ports.config()
    }
}

impl Panel {
    pub(super) fn new(ports: impl Iterator<Item = Port>) -> Self {
        let ports = Ports::new(ports);
        Self { ports, tell: None, hear: None, chain: Chain::new(), said: [Said::default(); PORTS] }
    }

    /// The news of a port, which is in turn `turn`; they are no more then.
    pub(super) fn news(&mut self, number: usize, turn: u32) -> News {
        let Said { ready, closed, restored } = self.said.get_mut(number).map(take).unwrap_or_default();
        let port = self.ports.ports.get(number);
        let (open, shown) = (port.is_some_and(Port::is_open), port.and_then(Port::shown));
        News { ready, closed, restored, open, turn, shown }
    }

    /// What its driver knows, and how far the queues of messages are.
    pub(super) fn save(&self) -> (u32, Option<Virtqueue>, Option<Virtqueue>) {
        (self.ports.save(), self.tell.as_ref().map(Queue::save), self.hear.as_ref().map(Queue::save))
    }

    /// Takes on what its driver knows, with the features that it has accepted if it is in use.
    pub(super) fn restore(&mut self, flags: u32, accepted: Option<u64>) -> Result<(), Unfit> {
        self.ports.restore(flags, accepted)
    }

    /// Takes over queues of messages that were restored.
    pub(super) fn take_over(&mut self, tell: Option<Queue>, hear: Option<Queue>) {
        (self.tell, self.hear) = (tell, hear);
    }

    /// What the driver has said before its VM was restored is news to who is at the other ends now.
    pub(super) fn come_back(&mut self, transport: &Transport<QUEUES>, memory: Option<GuestMemory>) {
        let Some(mut memory) = memory else { return };
        for (number, (said, port)) in self.said.iter_mut().zip(&self.ports.ports).enumerate() {
            let sent = transport.layout(queues(number as u16).1).and_then(|layout| layout.available(&mut memory).ok());
            *said = Said { ready: port.is_ready(), closed: None, restored: Some(sent.unwrap_or(0)) };
        }
    }

    /// The driver begins anew.
    pub(super) fn forget(&mut self) {
        (self.tell, self.hear, self.said) = (None, None, [Said::default(); PORTS]);
        self.ports.reset();
    }

    /// Uses up the driver's messages: drivers wait for that under a lock. It takes no longer than a piece of work, as messages
    /// are short and the queue has few. Calls `turn` with each port that is opened or closed.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the driver.
    pub(super) fn hear(
        &mut self,
        transport: &mut Transport<QUEUES>,
        peer: &dyn Peer,
        turn: impl Fn(usize),
    ) -> Result<Heard, Fault> {
        let Self { ports, hear: Some(queue), chain, said, .. } = self else { return Ok(Heard::default()) };
        let Some(mut memory) = peer.memory() else { return Ok(Heard::default()) };
        let mut heard = Heard::default();
        let end = queue.end(&mut memory)?;
        while queue.position() != end
            && let Some(event) = ports.hear(queue, &mut memory, chain)?
        {
            let (Event::Ready(number) | Event::Opened(number) | Event::Closed(number)) = event else { continue };
            let Some(said) = said.get_mut(number) else { continue };
            heard.ports |= 1_u32.wrapping_shl(number as u32);
            if !matches!(event, Event::Ready(_)) {
                turn(number);
            }
            match event {
                Event::Ready(_) => said.ready = true,
                Event::Closed(_) => {
                    // What was sent before it, on another queue, is there by now.
                    let sent = transport.layout(queues(number as u16).1);
                    said.closed = Some(sent.map_or(Ok(0), |layout| layout.available(&mut memory))?);
                }
                _ => {}
            }
        }
        if queue.publish(&mut memory)? {
            transport.used();
        }
        heard.more = queue.listen(&mut memory)?;
        Ok(heard)
    }

    /// Tells the driver what there is to tell, as far as it has buffers for it and its VM runs. Returns the ports of whose
    /// other end it knows something new, a bit each.
    ///
    /// # Errors
    ///
    /// [`Fault`] of the driver.
    pub(super) fn tell(&mut self, transport: &mut Transport<QUEUES>, peer: &dyn Peer) -> Result<u32, Fault> {
        let Self { ports, tell: Some(queue), chain, .. } = self else { return Ok(0) };
        if !ports.has_news() || !peer.runs() {
            return Ok(0);
        }
        let Some(mut memory) = peer.memory() else { return Ok(0) };
        queue.silence(&mut memory)?;
        let mut told = 0;
        loop {
            told |= ports.tell(queue, &mut memory, chain)?;
            // There is no end to the buffers of a driver, but to what it is told.
            if !ports.has_news() || !queue.listen(&mut memory)? {
                break;
            }
        }
        if queue.publish(&mut memory)? {
            transport.used();
        }
        Ok(told)
    }
}
