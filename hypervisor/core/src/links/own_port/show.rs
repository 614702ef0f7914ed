//! What was done at a queue of a port, as its driver is shown it.

use portcullis_virtio::{Fault, Mark, Queue};

use crate::devices::owner::Owner;
use crate::links::console::Jack;
use crate::memory::guest::GuestMemory;

/// Shows the driver what was done at a queue.
///
/// # Errors
///
/// [`Fault`] of the driver.
pub fn publish(queue: &mut Queue, memory: &mut GuestMemory, jack: Jack, owner: &dyn Owner) -> Result<(), Fault> {
    if queue.publish(memory)? {
        jack.interrupt(owner);
    }
    Ok(())
}

/// Shows the driver what was done at a queue since it was at `before`, if the port is still in turn `turn`; if it is not, that was
/// not done.
///
/// # Errors
///
/// [`Fault`] of the driver.
pub fn publish_in_turn(
    queue: &mut Queue,
    before: Mark,
    memory: &mut GuestMemory,
    jack: Jack,
    owner: &dyn Owner,
    turn: u32,
) -> Result<(), Fault> {
    let mut interrupts = Ok(false);
    if !jack.in_turn(turn, || interrupts = queue.publish(memory)) {
        queue.rewind(before);
    }
    if interrupts? {
        jack.interrupt(owner);
    }
    Ok(())
}
