//! The queues of a port, and what its driver says of it.

use portcullis_abi::state::Virtqueue;
use portcullis_virtio::Queue;

/// One of the two queues of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Of what its VM sends.
    Transmit,
    /// Of buffers for what it receives.
    Receive,
}

impl Flow {
    /// Its name, as messages have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transmit => "transmit queue",
            Self::Receive => "receive queue",
        }
    }
}

/// The queues of a port, as its driver has set them up. One that is not there its driver does not use.
#[derive(Debug, Default)]
pub struct Queues {
    /// Of what its VM sends.
    pub transmit: Option<Queue>,
    /// Of buffers for what it receives.
    pub receive: Option<Queue>,
}

/// What the driver of a port has said of it, and was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// It has set up the port since this was asked last.
    pub ready: bool,
    /// A program has closed the port since then, which had it open: what was sent before is what is in the transmit queue
    /// before this index. Several times in between are as the last one.
    pub closed: Option<u16>,
    /// Its VM goes on after it was restored, where somebody else was at the other side: what was sent for that one is what is in
    /// the transmit queue before this index.
    pub restored: Option<u16>,
    /// A program has it open.
    pub open: bool,
    /// How often it was opened and closed: what is for a program is for the one of this turn alone.
    pub turn: u32,
    /// The session of the other end that the driver was told of.
    pub shown: Option<u32>,
}

impl Queues {
    /// Where the rings of one of them are; mostly those of the other one are beside them.
    pub fn rings(&self) -> Option<u64> {
        self.transmit.as_ref().or(self.receive.as_ref()).map(Queue::rings)
    }

    /// How far they are, of buffers and of what was sent, as a state has it. `under_way`: the first descriptor of a chain of the
    /// latter that is not passed on as a whole, which then counts as not taken.
    pub fn save(&self, under_way: Option<u16>) -> [Option<Virtqueue>; 2] {
        let mut transmit = self.transmit.clone();
        if let Some((queue, head)) = transmit.as_mut().zip(under_way) {
            queue.rewind(queue.before(head));
        }
        [self.receive.as_ref().map(Queue::save), transmit.as_ref().map(Queue::save)]
    }
}
