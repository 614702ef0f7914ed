//! What was done at a queue of a port, as its driver is shown it.

use portcullis_virtio::{Fault, Mark, Queue};

use super::Jack;
use crate::devices::owner::Owner;
use crate::memory::guest::GuestMemory;

/// Shows the driver, whose VM `owner` is, what was done at a queue since it was at `before`, if the port is still in turn `turn`;
/// if it is not, that was not done. The driver is interrupted if it wants that, or if it is `due`.
///
/// # Errors
///
/// [`Fault`] of the driver.
pub fn publish_in_turn(
    (queue, before): (&mut Queue, Mark),
    memory: &mut GuestMemory,
    (jack, owner): (Jack, &dyn Owner),
    turn: u32,
    due: bool,
) -> Result<(), Fault> {
    if queue.is_published() && !due {
        return Ok(());
    }
    if !jack.publish(owner, turn, queue, memory, due)? {
        queue.rewind(before);
        if due {
            jack.interrupt(owner);
        }
    }
    Ok(())
}
