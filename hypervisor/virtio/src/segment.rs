//! A piece of a guest's memory.

/// A piece of a guest's memory, which was in its RAM when it was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where it is.
    pub address: u64,
    /// Bytes of it; at least one.
    pub length: u32,
}
