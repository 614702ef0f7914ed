//! What is at the other side of a port.

use portcullis_virtio::Queue;

use super::Jack;
use crate::devices::owner::Owner;

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
    /// A program has closed the port since then, which had it open: what was sent before is what is in the transmit queue before this
    /// index. Several times in between are as the last one.
    pub closed: Option<u16>,
    /// A program has it open.
    pub open: bool,
    /// The session of the other end that the driver was told of.
    pub shown: Option<u32>,
}

/// What is at the other side of a port: another VM's port, or something of EL2's own. It has the port's queues from when the driver has
/// set them up, and does the work at them, in pieces; see the [module](super).
pub trait End: Send + Sync {
    /// It is at the port that is the jack's. Called once, before any VM runs.
    fn connect(&self, jack: Jack);

    /// The driver has set up the port's queues, which are not known here from before.
    fn begin(&self, queues: Queues);

    /// The driver does not want one of the queues to be touched any more. Returns when nobody does.
    fn stop(&self, flow: Flow);

    /// The driver begins anew, or its VM has ended: forgets the queues, and takes the port for closed. Returns when nobody touches the
    /// queues any more. `owner` is the VM of the port.
    fn forget(&self, owner: &dyn Owner);

    /// The driver has notified a queue: does a piece of work. `owner` is the VM of the port, here as below.
    fn notified(&self, flow: Flow, owner: &dyn Owner);

    /// There is work to do: there are [news](Jack::news), or the VM goes on after it stood still. Notes that and does nothing else;
    /// whoever calls this has the VM's [work](Self::work) done, too. Called with locks held.
    fn mark(&self);

    /// Whether there is work for the VM that nobody does.
    fn is_marked(&self) -> bool;

    /// Does a piece of the work that was noted for the VM. What is left of it [calls](crate::links::peer::Peer::call) the VM again.
    fn work(&self, owner: &dyn Owner);

    /// Returns when nobody touches the queues, of a VM that does not run.
    fn rest(&self);

    /// The VM is made anew: counts from zero.
    fn renew(&self) {}
}
