//! What there is to know of links, for whoever manages the machine. Each kind says so of its own.

/// A link.
pub trait Link {
    /// Its kind: one of `portcullis_abi::manage`'s `LINK_*`.
    fn kind(&self) -> u64;

    /// Its name.
    fn name(&self) -> &'static str;

    /// How many ends it has.
    fn ends(&self) -> usize;

    /// An end of it. None: there is no such.
    fn end(&self, end: usize) -> Option<End>;

    /// What was counted at an end, by the index that `portcullis_abi::manage::link_counters` has for the kind. None: there is
    /// no such end or counter.
    fn counter(&self, end: usize, index: usize) -> Option<u64>;
}

/// An end of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The number of its VM.
    pub vm: usize,
    /// Whether it is up, or high.
    pub up: bool,
    /// What its kind says of it, as in `LINK_END`'s x2.
    pub about: u64,
    /// The number of its interrupt.
    pub intid: u32,
}
