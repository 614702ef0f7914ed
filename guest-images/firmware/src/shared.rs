//! What all cores share.

use firmware::answer::State;
use firmware::tally::Tally;
use spin::mutex::SpinMutex;

/// What is kept from call to call.
pub struct Context {
    /// What answers depend on.
    pub state: State,
    /// The calls so far.
    pub tally: Tally,
}

/// The context. The lock is held for all of a call, so nothing is given out or counted twice. With the MMU off this is
/// Device memory, on which exclusive accesses need not work (Arm DDI 0487, "Synchronization and semaphores"); under QEMU
/// they do on all memory.
pub type Shared = SpinMutex<Context>;
