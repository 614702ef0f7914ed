//! The sections of a stream, and their order.

use core::fmt;

use crate::counts::Counts;
use crate::kind::{Each, Kind};

/// A section: what it is about, and which of those, if there is one for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Section {
    /// What it is about.
    pub kind: Kind,
    /// The vCPU, the virtio transport or the port; 0 if it is about none.
    pub index: u32,
}

impl Section {
    /// The first section.
    pub const FIRST: Self = Self::of(Kind::Needs);
    /// The last section.
    pub const END: Self = Self::of(Kind::End);

    /// The section of this kind, of the first vCPU if there is one for each.
    pub const fn of(kind: Kind) -> Self {
        Self { kind, index: 0 }
    }

    /// Tells whether a VM that has so much can have it.
    pub const fn is_of(self, counts: Counts) -> bool {
        match counts.indices(self.kind).checked_shr(self.index) {
            Some(indices) => indices & 1 != 0,
            None => false,
        }
    }

    /// Returns the section that comes next in front of memory, for a VM that has so much; none if that is next.
    pub fn next(self, counts: Counts) -> Option<Self> {
        let behind = self.index.saturating_add(1);
        let first = |kind: Kind, from: u32| {
            let left = counts.indices(kind).checked_shr(from).unwrap_or(0);
            (left != 0).then(|| Self { kind, index: from.saturating_add(left.trailing_zeros()) })
        };
        first(self.kind, behind).or_else(|| {
            let mut kinds = Kind::ALL.into_iter().filter(|kind| *kind > self.kind);
            let section = kinds.find_map(|kind| first(kind, 0))?;
            (!section.kind.is_run() && section.kind != Kind::End).then_some(section)
        })
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, index) = (self.kind.name(), self.index);
        match self.kind.each() {
            Each::Vm => f.write_str(name),
            Each::Vcpu => write!(f, "{name} of vCPU {index}"),
            Each::Transport => write!(f, "{name} of virtio transport {index}"),
            Each::Port => write!(f, "{name} of port {index}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_abi::map::MAX_VCPUS;

    use super::*;

    #[test]
    fn every_state_comes_once_for_each_that_it_is_about() {
        for (vcpus, transports) in (1..=MAX_VCPUS as u32).zip([0, 1, 0b1000, 0b1011, 1 << 31, 0xffff_ffff, 6, 0]) {
            let ports = (vcpus - 1) * 5 % 32;
            let (gpios, flashes) = (vcpus % 2, vcpus / 2 % 2);
            let counts = Counts { vcpus, transports, ports, gpios, flashes };
            let all: Vec<_> = core::iter::successors(Some(Section::FIRST), |section| section.next(counts)).collect();
            assert!(all.is_sorted_by(|a, b| a < b) && all.iter().all(|section| section.is_of(counts)));
            for kind in Kind::ALL {
                let indices = all.iter().filter(|section| section.kind == kind).map(|section| section.index);
                let expected: Vec<u32> = match kind.each() {
                    _ if kind.is_run() || kind == Kind::End => vec![],
                    Each::Vm if matches!(kind, Kind::Wires | Kind::Gpio) => (0..gpios).collect(),
                    Each::Vm if matches!(kind, Kind::Banks | Kind::Flash) => (0..flashes).collect(),
                    Each::Vm => vec![0],
                    Each::Vcpu => (0..vcpus).collect(),
                    Each::Transport => (0..32).filter(|slot| transports >> slot & 1 != 0).collect(),
                    Each::Port => (0..ports).collect(),
                };
                assert_eq!(indices.collect::<Vec<_>>(), expected, "{}", kind.name());
                assert!(!Section { kind, index: 32 }.is_of(counts) && !Section { kind, index: u32::MAX }.is_of(counts));
            }
        }
    }
}
