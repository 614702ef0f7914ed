//! Numbers of the interrupts that EL2 has for itself, on every board.

/// SGI by which one core asks another to look at its vCPUs again.
pub const KICK: u32 = 0;
/// SGI by which a core that panics stops the others.
pub const HALT: u32 = 1;
/// SGI by which a core is asked to go on with work at links, and to forget what it has mapped of VMs that have ended.
pub const WORK: u32 = 2;
/// SGI by which a core is asked to follow how a trace is switched.
pub const TRACE: u32 = 3;
/// INTID of the EL2 physical timer (PPI 10).
pub const EL2_TIMER_INTID: u32 = 26;
