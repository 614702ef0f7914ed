//! Saving, restoring and moving a VM.

use super::BASE;
#[allow(unused_imports, reason = "for the documentation")]
use super::{BAD_STATE, BUSY, NO_ITEM, NOT_PERMITTED, RESUME, UNFIT};

/// `SAVE(x1 = VM)`: begins to save a paused VM whose manifest says `movable`: its state and memory are then read by
/// [`TRANSFER`] as a stream (docs/moving.md). [`NOT_PERMITTED`] if it does not say so, or it is the caller's own. One VM at a
/// time is saved or restored: [`BUSY`]. Since version 1.4.
pub const SAVE: u32 = BASE + 0x90;
/// `RESTORE(x1 = VM)`: begins to restore a saved VM into one that was only created, and whose manifest says `movable`. Since
/// version 1.4.
pub const RESTORE: u32 = BASE + 0x91;
/// `TRANSFER(x1 = address, x2 = length)`: the next piece, through a buffer of the caller's RAM with 1 to 32768 bytes: of a VM
/// that is saved it is filled, of one that is restored its bytes are taken. x1 = bytes that were; x2 = `TRANSFER_*`. [`UNFIT`]
/// if the VM cannot be saved, or the stream is refused; the log says why, and the transfer has ended. Since version 1.4.
pub const TRANSFER: u32 = BASE + 0x92;
/// `TRANSFER_END()`: gives up what is in progress, if anything is: a VM that is saved stays paused, one that is restored is created
/// again, with the registers that it had. Since version 1.4.
pub const TRANSFER_END: u32 = BASE + 0x93;
/// `GIVE_AWAY(x1 = VM)`: from paused, when all of the VM was saved since: it goes on elsewhere. It stands still, and neither START,
/// RESUME, RESTART nor its restart policy lets it go on; [`BAD_STATE`] if it was not saved. [`NOT_PERMITTED`] as for SAVE. Since
/// version 1.4.
pub const GIVE_AWAY: u32 = BASE + 0x94;
/// `FORGET(x1 = VM)`: from given away: it is stopped, as by STOP. Since version 1.4.
pub const FORGET: u32 = BASE + 0x95;

/// [`RESUME`], x2: even if the VM was given away, and may run elsewhere.
pub const RESUME_GIVEN_AWAY: u64 = 1;

/// [`TRANSFER`]: the buffer is full, or has no more bytes.
pub const TRANSFER_BUFFER: u64 = 0;
/// [`TRANSFER`]: as much was done as is done at a time: it is to be called again, with what is left of the buffer.
pub const TRANSFER_MORE: u64 = 1;
/// [`TRANSFER`]: the stream has ended. A VM that was saved is paused as before, one that was restored is paused.
pub const TRANSFER_DONE: u64 = 2;
