//! What a port of EL2's is for.

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
    fn give(&self, room: &mut [u8]) -> usize;

    /// Does what has come due as time went by, on core `core`. Returns when the timer of that core is to be set for it: the
    /// physical counter then.
    fn look(&self, _core: usize) -> Option<u64> {
        None
    }

    /// Takes bytes of the program's. Returns how many: those that are left are shown again, when there is
    /// [work](super::OwnPort::go_on) to do.
    fn take(&self, bytes: &[u8]) -> usize;
}
