//! What a vCPU is doing, and what it has had of its core.

/// What a vCPU is doing now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Activity {
    /// Off.
    Off = 0,
    /// On its core.
    Running = 1,
    /// Would run, but its core runs another one.
    Ready = 2,
    /// Waits for an interrupt, and its core is free for others.
    Waiting = 3,
    /// Stands still, with its VM.
    Paused = 4,
}

/// What a vCPU has had of its core since its VM was started, in ticks of the counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// It ran. On a core of its own, waiting for interrupts is part of that: it is not seen.
    pub ran: u64,
    /// It was runnable and did not run.
    pub stolen: u64,
    /// How often its core changed over to it from another vCPU.
    pub switches: u64,
}
