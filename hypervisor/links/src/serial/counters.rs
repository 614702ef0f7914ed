//! What became of bytes.

/// Counters of one end of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes that the other end has.
    pub sent: u64,
    /// Bytes that were dropped, because the other end was closed before it had taken them.
    pub dropped: u64,
    /// How often a program has opened it.
    pub sessions: u64,
}
