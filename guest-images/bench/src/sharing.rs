//! What is measured where two guests share a core: ways from one to the other, and neighbours of a window.

/// How a core comes from the partner's guest to the measured one or back, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Way {
    /// The measured one waits for an interrupt, the partner spins.
    Wait = 0,
    /// Both spin, and slices end.
    Slice = 1,
    /// An interrupt wakes the measured one while the partner spins.
    Interrupt = 2,
    /// Not at all: the measured one spins, the partner waits for ever.
    Alone = 3,
}

impl Way {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Wait, Self::Slice, Self::Interrupt, Self::Alone];

    /// Ticks that the measured one waits for, longer than a slice of [`SLICE`] is; of [`Way::Alone`], that it spins.
    pub const fn ticks(self) -> u64 {
        match self {
            Self::Wait | Self::Interrupt => 500_000,
            // Two slices for each switch to the measured one.
            Self::Slice => 200_000,
            Self::Alone => 100_000_000,
        }
    }
}

/// The slices of both, as the manifest has them.
pub const SLICE: &str = "100us";

/// Ticks of the frame in which the window comes again.
pub const FRAME: u64 = 10_000_000;
/// Ticks of the window, at the beginning of the frame.
pub const WINDOW: u64 = 2_000_000;

/// What a flood says when all of its devices have moved what it gave them.
pub const NOTICE: &str = "flood: every device moves";

/// What a window's neighbour on the core does without an end, by the number of its test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Storm {
    /// Sends itself interrupts.
    Interrupts = 0,
    /// Calls its firmware: what is denied, AFFINITY_INFO, TRNG_RND64, the clock.
    Calls = 1,
    /// Waits for an interrupt that comes within a microsecond.
    Waits = 2,
    /// Reads and writes the interrupt controller.
    Distributor = 3,
    /// Writes to its console.
    Output = 4,
    /// Sets its timer anew every microsecond.
    Timer = 5,
    /// Resets itself.
    Resets = 6,
    /// One vCPU switches on another, which switches itself off.
    Power = 7,
    /// Erases and programs its flash.
    Flash = 8,
    /// Floods networks, serial ports, disks and wires.
    Links = 9,
}

impl Storm {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Interrupts,
        Self::Calls,
        Self::Waits,
        Self::Distributor,
        Self::Output,
        Self::Timer,
        Self::Resets,
        Self::Power,
        Self::Flash,
        Self::Links,
    ];

    /// Its name in the results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interrupts => "interrupts to itself",
            Self::Calls => "calls",
            Self::Waits => "WFI",
            Self::Distributor => "GIC registers",
            Self::Output => "console output",
            Self::Timer => "its timer set every 1 us",
            Self::Resets => "SYSTEM_RESET",
            Self::Power => "CPU_ON and CPU_OFF",
            Self::Flash => "commands to its flash",
            Self::Links => "floods by all its links",
        }
    }
}
