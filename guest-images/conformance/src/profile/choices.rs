//! What modes can be told to do in one way or another.

/// The kinds of access of the fault modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Load,
    /// A store.
    Store,
    /// A load of two registers.
    Pair,
    /// A load with write-back.
    WriteBack,
    /// An exclusive load.
    Exclusive,
}

/// What the interrupt handler of `typed` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Clears the interrupt, then reads until there is nothing, as Linux does.
    ClearAndDrain,
    /// Reads until there is nothing, works a while, and clears the interrupt then.
    DrainAndClear,
    /// Reads one byte and works with it.
    One,
}

/// What `hostile` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worst {
    /// Runs with interrupts masked.
    Spin,
    /// Waits that end at once.
    Waits,
    /// SGIs to itself.
    Signals,
    /// More SGIs to itself than there are list registers.
    Floods,
    /// Sets its timer again and again.
    Alarms,
    /// Firmware calls.
    Calls,
    /// Accesses to an emulated device.
    Accesses,
}
