//! Records of a trace, which TRACE_READ returns: what a physical core has noted, three words each. Since version 1.4.
//!
//! | word | bits | |
//! | --- | --- | --- |
//! | x1 | 63:0 | CNTPCT_EL0 when it was noted: of an exit and of a call that is its end |
//! | x2 | 7:0 | kind: a `TRACE_*` of [`TRACE_KINDS`] |
//! | | 15:8, 23:16 | VM and vCPU |
//! | | 31:24, 63:32 | what the kind says |
//! | x3 | 63:0 | what the kind says |

/// Not a record of a core's: records that were overwritten before they were read. x3 is how many: the next one is at the position
/// asked for and so many more.
pub const TRACE_LOST: u64 = 0;
/// The vCPU goes on on the core.
pub const TRACE_ENTER: u64 = 1;
/// The vCPU has left the core: bits 31:24 of x2 are a `TRACE_LEAVE_*`.
pub const TRACE_LEAVE: u64 = 2;
/// An exit other than by a firmware call: bits 31:24 of x2 are the cause, as of [`EXITS`](super::EXITS), or
/// [`TRACE_EXIT_CALLED`]; bits 63:32 the ticks for which the hypervisor ran, all ones if it were more; x3 is ESR_EL2 of an
/// exception, else zero.
pub const TRACE_EXIT: u64 = 3;
/// A firmware call: bits 25:24 of x2 are the verdict, a [`TRACE_ANSWERED`], [`TRACE_REFUSED`] or [`TRACE_FORWARDED`], with
/// [`TRACE_SMC`] beside it; bits 63:32 the ticks for which the hypervisor ran, all ones if it were more; x3 is the function
/// identifier.
pub const TRACE_CALL: u64 = 4;
/// The guest was given an interrupt: bits 63:32 of x2 are its INTID. One that it has not taken when the vCPU leaves its core is
/// given again.
pub const TRACE_INTERRUPT: u64 = 5;
/// The hypervisor has copied at a link of the VM's: bits 63:32 of x2 are the link, by its index in `LINK`, x3 the bytes.
pub const TRACE_COPY: u64 = 6;
/// The kinds' names, by number.
pub const TRACE_KINDS: [&str; 7] = ["lost", "enter", "leave", "exit", "call", "interrupt", "copy"];

/// It is another one's turn.
pub const TRACE_LEAVE_TURN: u64 = 0;
/// It waits for an interrupt.
pub const TRACE_LEAVE_WAITS: u64 = 1;
/// It is off.
pub const TRACE_LEAVE_OFF: u64 = 2;
/// It stands still, with its VM.
pub const TRACE_LEAVE_PAUSED: u64 = 3;
/// Its guest has suspended the VM.
pub const TRACE_LEAVE_SUSPENDED: u64 = 4;
/// Why a vCPU has left its core, by number.
pub const TRACE_LEAVES: [&str; 5] = ["turn", "waits", "off", "paused", "suspended"];

/// Cause of an exit that is not counted: another core has called this one.
pub const TRACE_EXIT_CALLED: u64 = 0xff;

/// Verdict: the call was answered.
pub const TRACE_ANSWERED: u64 = 0;
/// Verdict: it was refused.
pub const TRACE_REFUSED: u64 = 1;
/// Verdict: it went to EL3.
pub const TRACE_FORWARDED: u64 = 2;
/// The verdicts, by number.
pub const TRACE_VERDICTS: [&str; 3] = ["answered", "refused", "forwarded"];
/// The call was by SMC: beside the verdict.
pub const TRACE_SMC: u64 = 1 << 7;

/// `TRACE_STATE`, x1: a trace is on.
pub const TRACE_ON: u64 = 1 << 0;
/// Records of a core that are kept, the last ones.
pub const TRACE_KEPT: u64 = 2047;
