//! What was done at a queue of a port, as its driver is shown it. Who shows it has the driver interrupted.

use portcullis_virtio::{Fault, Mark, Queue};

use crate::links::console::Jack;
use crate::memory::guest::GuestMemory;

/// Shows the driver what was done at a queue since it was at `before`, if the port is still in turn `turn`; if it is not, that was
/// not done. Returns whether the driver wants to be interrupted.
///
/// # Errors
///
/// [`Fault`] of the driver.
pub fn publish_in_turn(
    queue: &mut Queue,
    before: Mark,
    memory: &mut GuestMemory,
    jack: Jack,
    turn: u32,
) -> Result<bool, Fault> {
    let mut interrupts = Ok(false);
    if !jack.in_turn(turn, || interrupts = queue.publish(memory)) {
        queue.rewind(before);
    }
    interrupts
}
