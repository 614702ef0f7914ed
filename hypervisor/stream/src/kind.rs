//! What sections are about.

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
    /// What is in a virtio transport: [`state::LinkNeeds`].
    Link = 5,
    /// What the VM reads of which CPU it has, if that is another one: [`state::Identity`].
    Identity = 6,
    /// A port of the console: [`state::PortNeeds`].
    PortName = 7,
    /// The wires: [`state::WireNeeds`].
    Wires = 8,
    /// The banks of flash: [`state::FlashNeeds`].
    Banks = 9,
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
    /// PL061: [`state::Pl061`].
    Gpio = 28,
    /// The bank of flash that takes commands: [`state::Flash`].
    Flash = 29,
    /// A port of a network: [`state::Network`].
    Network = 30,
    /// The console: [`state::Console`].
    Console = 31,
    /// A port of the console: [`state::Port`].
    Port = 32,
    /// A disk: [`state::Disk`].
    Disk = 33,
    /// What the VM was told of its restores: [`state::Generation`].
    Generation = 48,
    /// A run of memory.
    Memory = 64,
    /// A run of memory that is zero.
    Zero = 65,
    /// A run of what is in a disk.
    Contents = 66,
    /// A run of a disk that is zero.
    Hole = 67,
    /// A run of cells of flash.
    Cells = 68,
    /// A run of cells that are erased.
    Erased = 69,
    /// The end of the stream.
    End = 128,
}

impl Kind {
    /// Every kind, in the order of the stream.
    pub const ALL: [Self; 35] = [
        Self::Needs,
        Self::Firmware,
        Self::Implementations,
        Self::Cpu,
        Self::Link,
        Self::Identity,
        Self::PortName,
        Self::Wires,
        Self::Banks,
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
        Self::Gpio,
        Self::Flash,
        Self::Network,
        Self::Console,
        Self::Port,
        Self::Disk,
        Self::Generation,
        Self::Memory,
        Self::Zero,
        Self::Contents,
        Self::Hole,
        Self::Cells,
        Self::Erased,
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
            Self::Link => size_of::<state::LinkNeeds>(),
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
            Self::PortName => size_of::<state::PortNeeds>(),
            Self::Wires => size_of::<state::WireNeeds>(),
            Self::Banks => size_of::<state::FlashNeeds>(),
            Self::Gpio => size_of::<state::Pl061>(),
            Self::Flash => size_of::<state::Flash>(),
            Self::Network => size_of::<state::Network>(),
            Self::Console => size_of::<state::Console>(),
            Self::Port => size_of::<state::Port>(),
            Self::Disk => size_of::<state::Disk>(),
            Self::Generation => size_of::<state::Generation>(),
            Self::Memory | Self::Zero | Self::Contents | Self::Hole | Self::Cells | Self::Erased => size_of::<Run>(),
            Self::End => size_of::<End>(),
        }
    }

    /// Tells whether it belongs to the header, which is looked at before anything is touched.
    pub const fn is_header(self) -> bool {
        (self as u32) < Self::Counter as u32
    }

    /// Tells what there is one for each of.
    pub const fn each(self) -> Each {
        match self {
            Self::Cpu | Self::Power | Self::General | Self::World | Self::Interface | Self::Stolen | Self::Calls => {
                Each::Vcpu
            }
            Self::Link | Self::Network | Self::Console | Self::Disk | Self::Contents | Self::Hole => Each::Transport,
            Self::PortName | Self::Port => Each::Port,
            _ => Each::Vm,
        }
    }

    /// Tells whether a stream can lack it: the VM has no such thing, and it is cleared where the VM goes.
    pub const fn is_optional(self) -> bool {
        matches!(
            self,
            Self::Implementations
                | Self::Identity
                | Self::Wires
                | Self::Watchdog
                | Self::Rtc
                | Self::Gpio
                | Self::Network
                | Self::Console
                | Self::Disk
                | Self::Generation
        )
    }

    /// Tells whether it is a run of memory, of what is in a disk, or of cells.
    pub const fn is_run(self) -> bool {
        self.is_data() || matches!(self, Self::Zero | Self::Hole | Self::Erased)
    }

    /// Tells whether it is a run with its bytes.
    pub const fn is_data(self) -> bool {
        matches!(self, Self::Memory | Self::Contents | Self::Cells)
    }

    /// Returns about what it takes to take one on, as many times as what the least of them take, from 1 to 8.
    pub const fn work(self) -> u32 {
        match self {
            // All that is derived of what was read is worked out then.
            Self::Gic | Self::End => 8,
            Self::Cpu | Self::Calls => 3,
            Self::Needs
            | Self::Firmware
            | Self::World
            | Self::Flash
            | Self::Network
            | Self::Console
            | Self::Port
            | Self::Disk => 2,
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
            Self::Link => "LINK",
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
            Self::PortName => "PORT-NAME",
            Self::Wires => "WIRES",
            Self::Banks => "BANKS",
            Self::Gpio => "GPIO",
            Self::Flash => "FLASH",
            Self::Network => "NETWORK",
            Self::Console => "CONSOLE",
            Self::Port => "PORT",
            Self::Disk => "DISK",
            Self::Generation => "GENERATION",
            Self::Memory => "MEMORY",
            Self::Zero => "ZERO",
            Self::Contents => "CONTENTS",
            Self::Hole => "HOLE",
            Self::Cells => "CELLS",
            Self::Erased => "ERASED",
            Self::End => "END",
        }
    }
}

/// What there is a section of a kind for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
    /// The VM: there is one at the most.
    Vm,
    /// The vCPUs.
    Vcpu,
    /// The virtio transports that have a device.
    Transport,
    /// The ports of the console.
    Port,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_in_the_order_of_their_numbers() {
        assert!(Kind::ALL.is_sorted_by(|a, b| (*a as u32) < *b as u32));
        assert!(Kind::ALL.iter().all(|kind| Kind::of(*kind as u32) == Some(*kind)));
        assert_eq!((Kind::of(0), Kind::of(34), Kind::of(u32::MAX)), (None, None, None));
    }

    #[test]
    fn no_body_is_longer_than_the_longest_and_all_are_whole_words() {
        assert!(Kind::ALL.iter().all(|kind| kind.body() <= MAX_BODY && kind.body() % 4 == 0));
    }
}
