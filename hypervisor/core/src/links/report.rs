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

    /// Whether the VM with the number `vm` is at one of its ends.
    fn has(&self, vm: usize) -> bool;

    /// Bytes that EL2 has copied from end to end, or between an end and a disk, since it was asked last, for who follows what cores
    /// do.
    fn take_copied(&self) -> u64 {
        0
    }
}

/// Bytes that were copied, as who asks from time to time is told.
#[derive(Debug, Default)]
pub struct Copied(u64);

impl Copied {
    /// How many there are of `all` that were not told yet. Where a VM's counters begin anew nothing is told.
    pub fn take(&mut self, all: u64) -> u64 {
        let Self(told) = self;
        all.saturating_sub(core::mem::replace(told, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_is_told_once() {
        let mut copied = Copied::default();
        assert_eq!([10, 10, 25, 3, 5].map(|all| copied.take(all)), [10, 0, 15, 0, 2]);
    }
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
