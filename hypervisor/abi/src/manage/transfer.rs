//! How a transfer stands: what is moved between a VM and the one that manages it.

use super::BASE;

/// `TRANSFER_STATE()`: how the transfer stands that was begun last: x1 = a `TRANSFER_*` in bits 7:0 that says what it is, the VM
/// in bits 15:8, [`TRANSFER_GOES_ON`] and [`TRANSFER_BY_PORT`]; x2 = bytes that were moved; x3 = the status with which it has
/// ended. Since version 1.4.
pub const TRANSFER_STATE: u32 = BASE + 0xa1;
/// `TRANSFER_REASON(x1 = position)`: why the last transfer has failed, in words, from the byte at that position on: x1 to x3 as
/// for [`LOG`](super::LOG). [`NO_ITEM`](super::NO_ITEM) if there is nothing from there on. Since version 1.4.
pub const TRANSFER_REASON: u32 = BASE + 0xa2;

/// [`TRANSFER_STATE`]: there was none.
pub const TRANSFER_NOTHING: u64 = 0;
/// [`TRANSFER_STATE`]: [`SAVE`](super::SAVE).
pub const TRANSFER_SAVE: u64 = 1;
/// [`TRANSFER_STATE`]: [`RESTORE`](super::RESTORE).
pub const TRANSFER_RESTORE: u64 = 2;
/// What transfers are in one word, by number.
pub const TRANSFERS: [&str; 3] = ["", "save", "restore"];
/// [`TRANSFER_STATE`], x1: it has not ended.
pub const TRANSFER_GOES_ON: u64 = 1 << 16;
/// [`TRANSFER_STATE`], x1: its bytes go by the port of data.
pub const TRANSFER_BY_PORT: u64 = 1 << 17;
