//! What is at the other side of a port.

use portcullis_abi::state::Virtqueue;

use super::{Flow, Jack, Queues};
use crate::devices::owner::Owner;

/// What is at the other side of a port: another VM's port, or something of EL2's own. It has the port's queues from when the
/// driver has set them up, and does the work at them, in pieces; see the [module](super).
pub trait End: Send + Sync {
    /// It is at the port that is the jack's. Called once, before any VM runs.
    fn connect(&self, jack: Jack);

    /// The driver has set up the port's queues, which are not known here from before.
    fn begin(&self, queues: Queues);

    /// The driver does not want one of the queues to be touched any more. Returns when nobody does.
    fn stop(&self, flow: Flow);

    /// The driver begins anew, or its VM has ended: forgets the queues, and takes the port for closed. Returns when nobody
    /// touches the queues any more. `owner` is the VM of the port.
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

    /// Does what has come due as time went by, on core `core`. Returns when the timer of that core is to be set for it: the
    /// physical counter then.
    fn look(&self, _core: usize) -> Option<u64> {
        None
    }

    /// How far the queues are, of buffers for what the port receives and of what it sends, of a VM that stands still. A chain of
    /// which some was passed on is as if none had been. The control VM, whose ports EL2 has, nobody saves.
    fn save(&self) -> [Option<Virtqueue>; 2] {
        [None, None]
    }

    /// The VM is made anew: counts from zero.
    fn renew(&self) {}
}
