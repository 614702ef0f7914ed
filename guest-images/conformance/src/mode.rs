//! What the guest does: `mode=` of the command line.

/// What the guest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Every case.
    Cases,
    /// Calls with garbage in every register.
    Garbage,
    /// Every function, against the gate.
    Sweep,
    /// Known functions and the ends of the filter's ranges, asked about each other, against the gate.
    Matrix,
    /// Calls that go to the test firmware.
    Forward,
    /// A call that keeps its core at EL3.
    Late,
    /// Random words that the test firmware numbers.
    Draws,
    /// Random words, shown.
    Words,
    /// Random words from a firmware that has few.
    Scarce,
    /// Random words from a firmware that has none.
    NoEntropy,
    /// SYSTEM_OFF by a VM that may switch the machine off.
    MachineOff,
    /// SYSTEM_RESET by a VM that may reset the machine.
    MachineReset,
    /// EL2's copies of memory.
    Copies,
    /// A network: the VM that asks.
    LinksAsk,
    /// A network: the VM that asks for a while, during which it or the other one is moved.
    LinksStay,
    /// A network: the VM that answers.
    LinksAnswer,
    /// Serial ports: the VM that asks.
    SerialAsk,
    /// Serial ports: the VM that answers.
    SerialAnswer,
    /// Two disks: an image and RAM.
    Disks,
    /// The cost of management calls.
    Cost,
    /// Interrupts as fast as they go.
    Storm,
    /// Heartbeats.
    Busy,
    /// PSCI by several vCPUs at once.
    Psci,
    /// All vCPUs, each by itself.
    Vcpus,
    /// SYSTEM_SUSPEND, with everything that wakes a VM.
    Suspend,
    /// Resets.
    Reset,
    /// The cases of kvm-unit-tests' timer and gic.
    Peers,
    /// What is in RAM at first, and after a reset.
    Fresh,
    /// A device of the board, its interrupt, and resets.
    Device,
    /// A device of the board whose interrupts are to disturb others.
    Disturb,
    /// A device of the board that writes to memory.
    Dma,
    /// Registers keep their values, and show nobody else's.
    Leak,
    /// Stolen time beside others.
    Starved,
    /// Counters, timers, clock and stolen time over pauses.
    Paused,
    /// The same, and memory and registers, while it is saved, made anew and restored.
    Moved,
    /// A VM that is moved between machines, any number of times.
    Travels,
    /// An alarm, and a new time of day.
    Clock,
    /// The worst of neighbours.
    Hostile,
    /// The worst of virtio drivers.
    Rings,
    /// A long wait.
    Idle,
    /// Input by interrupt.
    Typed,
    /// An access to nothing.
    Abort,
    /// Every kind of access that ends in an abort.
    Aborts,
    /// One instruction at a time.
    Steps,
    /// Levels and calls of the workarounds against speculation.
    Speculation,
    /// The banks of flash, and a reset.
    Flash,
    /// The first bank of flash, with so many accesses that they can be counted.
    FirstBank,
    /// The banks of flash over restores.
    MovedFlash,
    /// An exception without vectors.
    NoVectors,
    /// Unknown system registers.
    SystemRegister,
    /// An access to a device whose syndrome does not describe it.
    Mmio,
    /// Execution from nothing.
    Jump,
    /// A watchdog that bites.
    Watchdog,
    /// Edges by a wire.
    Ask,
    /// Edges in answer to them.
    Answer,
    /// Memory that it shares and writes.
    ShareWriting,
    /// Memory that it shares and reads.
    ShareReading,
    /// The CPU that it is shown.
    Shown,
}

impl Mode {
    /// The mode of this name; the cases if there is none.
    pub fn parse(value: &str) -> Option<Self> {
        Some(match value {
            "" | "cases" => Self::Cases,
            "garbage" => Self::Garbage,
            "sweep" => Self::Sweep,
            "matrix" => Self::Matrix,
            "forward" => Self::Forward,
            "late" => Self::Late,
            "draws" => Self::Draws,
            "words" => Self::Words,
            "scarce" => Self::Scarce,
            "dry" => Self::NoEntropy,
            "off" => Self::MachineOff,
            "restart" => Self::MachineReset,
            "copies" => Self::Copies,
            "links-ask" => Self::LinksAsk,
            "links-stay" => Self::LinksStay,
            "links-answer" => Self::LinksAnswer,
            "serial-ask" => Self::SerialAsk,
            "serial-answer" => Self::SerialAnswer,
            "disks" => Self::Disks,
            "cost" => Self::Cost,
            "storm" => Self::Storm,
            "busy" => Self::Busy,
            "psci" => Self::Psci,
            "vcpus" => Self::Vcpus,
            "suspend" => Self::Suspend,
            "reset" => Self::Reset,
            "peers" => Self::Peers,
            "fresh" => Self::Fresh,
            "device" => Self::Device,
            "disturb" => Self::Disturb,
            "dma" => Self::Dma,
            "leak" => Self::Leak,
            "starved" => Self::Starved,
            "paused" => Self::Paused,
            "moved" => Self::Moved,
            "travels" => Self::Travels,
            "clock" => Self::Clock,
            "hostile" => Self::Hostile,
            "rings" => Self::Rings,
            "idle" => Self::Idle,
            "typed" => Self::Typed,
            "abort" => Self::Abort,
            "aborts" => Self::Aborts,
            "steps" => Self::Steps,
            "speculation" => Self::Speculation,
            "flash" => Self::Flash,
            "first-bank" => Self::FirstBank,
            "moved-flash" => Self::MovedFlash,
            "no-vectors" => Self::NoVectors,
            "sysreg" => Self::SystemRegister,
            "mmio" => Self::Mmio,
            "jump" => Self::Jump,
            "watchdog" => Self::Watchdog,
            "ask" => Self::Ask,
            "answer" => Self::Answer,
            "share-writing" => Self::ShareWriting,
            "share-reading" => Self::ShareReading,
            "shown" => Self::Shown,
            _ => return None,
        })
    }
}
