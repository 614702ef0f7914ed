//! What a port of EL2's is for.

use portcullis_devices::OutOfReach;
use portcullis_virtio::{Budget, Cursor};

use crate::memory::guest::GuestMemory;

/// A buffer of the program's that is worked at.
pub struct Buffer<'a, 'c> {
    /// What is left of it: room, or bytes.
    pub at: &'a mut Cursor<'c>,
    /// Where it is, as this core reaches it.
    pub memory: &'a mut GuestMemory,
    /// What may still be done; what was done is taken note of.
    pub budget: &'a mut Budget,
    /// Room for bytes that have to lie together.
    pub(super) bytes: &'a mut [u8],
}

/// What was moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Bytes.
    pub bytes: u32,
    /// There may be more at once; else it has to be [given](super::OwnPort::give) when there is.
    pub more: bool,
}

/// What a port is for. Called with the port's queues locked: it must not have the port worked at.
pub trait Service: Send + Sync {
    /// Bytes that a buffer for what it gives has to have.
    const LEAST: u32 = 1;

    /// A program has opened the port. Nothing is left of what was for another one.
    fn opened(&self);

    /// The program has closed it, or its VM has ended.
    fn closed(&self);

    /// Whether there is something for the program.
    fn has(&self) -> bool;

    /// Fills the beginning of `room`, which has [`LEAST`](Self::LEAST) bytes or more, with what is for the program. Returns how
    /// many bytes that are.
    fn give(&self, _room: &mut [u8]) -> usize {
        0
    }

    /// Does what has come due as time went by, on core `core`. Returns when the timer of that core is to be set for it: the
    /// physical counter then.
    fn look(&self, _core: usize) -> Option<u64> {
        None
    }

    /// Takes bytes of the program's. Returns how many: those that are left are shown again, when the
    /// port is [called](super::OwnPort::call). By default they are dropped.
    fn take(&self, bytes: &[u8]) -> usize {
        bytes.len()
    }

    /// Puts what is for the program into a buffer of its, as [`give`](Self::give) says unless it has a way of its own: nothing, and
    /// the buffer is kept for later.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    fn fill(&self, buffer: &mut Buffer<'_, '_>) -> Result<Moved, OutOfReach> {
        let Buffer { at, memory, budget, bytes } = buffer;
        let length = at.left().min(budget.bytes()).max(Self::LEAST) as usize;
        let room = match bytes.get_mut(..length) {
            Some(room) => room,
            None => bytes,
        };
        let count = self.give(room);
        // Into the bytes here, and out of them.
        budget.copied(2_u32.saturating_mul(count as u32));
        at.write(*memory, room.get(..count).unwrap_or_default())?;
        Ok(Moved { bytes: count as u32, more: count != 0 })
    }

    /// Takes what the program has sent, as [`take`](Self::take) does unless it has a way of its own. What is left of the buffer is
    /// shown again.
    ///
    /// # Errors
    ///
    /// [`OutOfReach`].
    fn drain(&self, buffer: &mut Buffer<'_, '_>) -> Result<Moved, OutOfReach> {
        let Buffer { at, memory, budget, bytes } = buffer;
        let length = bytes.len().min(budget.bytes() as usize);
        let bytes = bytes.get_mut(..length).unwrap_or_default();
        let count = at.read(*memory, bytes)?;
        let taken = self.take(bytes.get(..count).unwrap_or_default()).min(count);
        budget.copied(2_u32.saturating_mul(taken as u32));
        Ok(Moved { bytes: taken as u32, more: taken == count })
    }
}
