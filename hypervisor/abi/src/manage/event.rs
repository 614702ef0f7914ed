//! Events: what a program that reads the control VM's port `portcullis.events` is told, a record each. Since version 1.4.
//!
//! A record is four little-endian words of 64 bits:
//!
//! | word | bits | |
//! | --- | --- | --- |
//! | 0 | 7:0 | bytes of the record: [`EVENT_SIZE`]; a later version may have longer ones, with more words behind these |
//! | | 15:8 | version of the record: [`EVENT_VERSION`] |
//! | | 31:16 | kind: an `EVENT_*` of [`EVENTS`] |
//! | | 63:32 | events that were lost between the one before and this one, as they were not read in time |
//! | 1 | 63:0 | CNTPCT_EL0 then, as of `SYSTEM_COUNTER` |
//! | 2 | 7:0 | VM |
//! | | 31:16, 47:32 | link and end, as of `LINK_END`, of [`EVENT_LINK`]; else zero |
//! | 3 | 63:0 | what the kind says |

/// Bytes of a record.
pub const EVENT_SIZE: u64 = 32;
/// Version of records.
pub const EVENT_VERSION: u64 = 1;

/// A VM's phase has changed, or it has started again: word 3 has the `PHASE_*` before in bits 7:0, the one now in bits 15:8, and
/// the restarts since its creation in bits 63:32.
pub const EVENT_PHASE: u64 = 1;
/// A VM has failed: word 3 is x1 of `VM_FAILURE`. Its phase changes behind this, when all its vCPUs have left their cores.
pub const EVENT_FAILED: u64 = 2;
/// A VM has failed as nobody has petted its watchdog: word 3 as for [`EVENT_FAILED`], in place of which this one comes.
pub const EVENT_WATCHDOG: u64 = 3;
/// A VM's end of a network or of a pair of serial ports is up or down, as `LINK_END` says: word 3 is 1 or 0.
pub const EVENT_LINK: u64 = 4;
/// Calls of a VM were refused more often than [`EVENT_REFUSALS_RATE`] in a second: word 3 is how often.
pub const EVENT_REFUSALS: u64 = 5;
/// The kinds' names, by number.
pub const EVENTS: [&str; 6] = ["", "phase", "failed", "watchdog", "link", "refusals"];

/// Refused calls in a second above which [`EVENT_REFUSALS`] comes.
pub const EVENT_REFUSALS_RATE: u64 = 100;
/// Events that are kept for a reader that is slow; of more the oldest are lost.
pub const EVENTS_KEPT: u64 = 64;
