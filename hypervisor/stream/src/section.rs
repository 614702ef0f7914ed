//! The sections of a stream, and their order.

use core::fmt;

use portcullis_abi::state;

use crate::layout::{End, Run};

/// Most bytes of the body of a section, but for the memory in it.
pub const MAX_BODY: usize = size_of::<state::Gic>();

/// What a section is about, by its number in the stream. They come in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Kind {
    /// The VM's shape: [`state::Needs`].
    Needs = 1,
    /// Firmware registers and filter: [`state::Firmware`].
    Firmware = 2,
    /// CPU implementations that the VM was told of: [`state::Implementations`].
    Implementations = 3,
    /// What a vCPU was shown of its CPU: [`state::Cpu`].
    Cpu = 4,
    /// What the VM reads of which CPU it has, if that is another one: [`state::Identity`].
    Identity = 5,
    /// Virtual counter: [`state::Counter`].
    Counter = 16,
    /// Restarts: [`state::Restarts`].
    Restarts = 17,
    /// Watchdog: [`state::Watchdog`].
    Watchdog = 18,
    /// Virtual GIC: [`state::Gic`].
    Gic = 19,
    /// Whether a vCPU is on: [`state::Power`].
    Power = 20,
    /// A vCPU's general registers: [`state::General`].
    General = 21,
    /// A vCPU's other registers: [`state::World`].
    World = 22,
    /// A vCPU's CPU interface: [`state::GicCpuInterface`].
    Interface = 23,
    /// A vCPU's stolen time: [`state::StolenTime`].
    Stolen = 24,
    /// A vCPU's calls and exits: [`state::Calls`].
    Calls = 25,
    /// PL011: [`state::Pl011`].
    Uart = 26,
    /// PL031: [`state::Pl031`].
    Rtc = 27,
    /// A run of memory.
    Memory = 64,
    /// A run of memory that is zero.
    Zero = 65,
    /// The end of the stream.
    End = 128,
}

impl Kind {
    /// Every kind, in the order of the stream.
    pub const ALL: [Self; 20] = [
        Self::Needs,
        Self::Firmware,
        Self::Implementations,
        Self::Cpu,
        Self::Identity,
        Self::Counter,
        Self::Restarts,
        Self::Watchdog,
        Self::Gic,
        Self::Power,
        Self::General,
        Self::World,
        Self::Interface,
        Self::Stolen,
        Self::Calls,
        Self::Uart,
        Self::Rtc,
        Self::Memory,
        Self::Zero,
        Self::End,
    ];

    /// Returns the kind with this number.
    pub fn of(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u32 == number)
    }

    /// Returns the bytes of the body, but for the memory in it.
    pub const fn body(self) -> usize {
        match self {
            Self::Needs => size_of::<state::Needs>(),
            Self::Firmware => size_of::<state::Firmware>(),
            Self::Implementations => size_of::<state::Implementations>(),
            Self::Cpu => size_of::<state::Cpu>(),
            Self::Identity => size_of::<state::Identity>(),
            Self::Counter => size_of::<state::Counter>(),
            Self::Restarts => size_of::<state::Restarts>(),
            Self::Watchdog => size_of::<state::Watchdog>(),
            Self::Gic => size_of::<state::Gic>(),
            Self::Power => size_of::<state::Power>(),
            Self::General => size_of::<state::General>(),
            Self::World => size_of::<state::World>(),
            Self::Interface => size_of::<state::GicCpuInterface>(),
            Self::Stolen => size_of::<state::StolenTime>(),
            Self::Calls => size_of::<state::Calls>(),
            Self::Uart => size_of::<state::Pl011>(),
            Self::Rtc => size_of::<state::Pl031>(),
            Self::Memory | Self::Zero => size_of::<Run>(),
            Self::End => size_of::<End>(),
        }
    }

    /// Tells whether it belongs to the header, which is looked at before anything is touched.
    pub const fn is_header(self) -> bool {
        matches!(self, Self::Needs | Self::Firmware | Self::Implementations | Self::Cpu | Self::Identity)
    }

    /// Tells whether there is one for each vCPU.
    pub const fn is_of_vcpu(self) -> bool {
        matches!(
            self,
            Self::Cpu | Self::Power | Self::General | Self::World | Self::Interface | Self::Stolen | Self::Calls
        )
    }

    /// Tells whether a stream can lack it: the VM has no such thing, and it is cleared where the VM goes.
    pub const fn is_optional(self) -> bool {
        matches!(self, Self::Implementations | Self::Identity | Self::Watchdog | Self::Rtc)
    }

    /// Tells whether it is a run of memory.
    pub const fn is_run(self) -> bool {
        matches!(self, Self::Memory | Self::Zero)
    }

    /// Returns about what it takes to take one on, as many times as what the least of them take, from 1 to 8.
    pub const fn work(self) -> u32 {
        match self {
            // All that is derived of what was read is worked out then.
            Self::Gic | Self::End => 8,
            Self::Cpu | Self::Calls => 3,
            Self::Needs | Self::Firmware | Self::World => 2,
            _ => 1,
        }
    }

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Needs => "NEEDS",
            Self::Firmware => "FIRMWARE",
            Self::Implementations => "IMPLEMENTATIONS",
            Self::Cpu => "CPU",
            Self::Identity => "IDENTITY",
            Self::Counter => "COUNTER",
            Self::Restarts => "RESTARTS",
            Self::Watchdog => "WATCHDOG",
            Self::Gic => "GIC",
            Self::Power => "POWER",
            Self::General => "GENERAL",
            Self::World => "WORLD",
            Self::Interface => "INTERFACE",
            Self::Stolen => "STOLEN",
            Self::Calls => "CALLS",
            Self::Uart => "UART",
            Self::Rtc => "RTC",
            Self::Memory => "MEMORY",
            Self::Zero => "ZERO",
            Self::End => "END",
        }
    }
}

/// A section: what it is about, and the vCPU, if it is about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Section {
    /// What it is about.
    pub kind: Kind,
    /// The vCPU; 0 if it is about none.
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

    /// Returns the section that comes next in front of memory, for a VM with so many vCPUs; none if that is next.
    pub fn next(self, vcpus: u32) -> Option<Self> {
        let index = self.index.saturating_add(1);
        if self.kind.is_of_vcpu() && index < vcpus {
            return Some(Self { index, ..self });
        }
        let kind = Kind::ALL.into_iter().find(|kind| *kind > self.kind)?;
        (!kind.is_run() && kind != Kind::End).then_some(Self::of(kind))
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind.is_of_vcpu() {
            true => write!(f, "{} of vCPU {}", self.kind.name(), self.index),
            false => f.write_str(self.kind.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_abi::map::MAX_VCPUS;

    use super::*;

    #[test]
    fn kinds_are_in_the_order_of_their_numbers() {
        assert!(Kind::ALL.is_sorted_by(|a, b| (*a as u32) < *b as u32));
        assert!(Kind::ALL.iter().all(|kind| Kind::of(*kind as u32) == Some(*kind)));
        assert_eq!((Kind::of(0), Kind::of(6), Kind::of(u32::MAX)), (None, None, None));
    }

    #[test]
    fn no_body_is_longer_than_the_longest_and_all_are_whole_words() {
        assert!(Kind::ALL.iter().all(|kind| kind.body() <= MAX_BODY && kind.body() % 4 == 0));
    }

    #[test]
    fn every_state_comes_once_for_each_that_it_is_about() {
        for vcpus in 1..=MAX_VCPUS as u32 {
            let all: Vec<_> = core::iter::successors(Some(Section::FIRST), |section| section.next(vcpus)).collect();
            assert!(all.is_sorted_by(|a, b| a < b));
            for kind in Kind::ALL {
                let count = all.iter().filter(|section| section.kind == kind).count() as u32;
                let expected = match kind {
                    Kind::Memory | Kind::Zero | Kind::End => 0,
                    kind if kind.is_of_vcpu() => vcpus,
                    _ => 1,
                };
                assert_eq!(count, expected, "{}", kind.name());
            }
        }
    }
}
