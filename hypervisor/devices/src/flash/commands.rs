//! The commands that the parts take, their status register, and how large everything is.

use portcullis_abi::map;

/// Bytes of a bank: both parts together.
pub const BANK: u64 = map::FLASH_BANK;
/// Bytes that a command erases: 128 KiB of each part.
pub const BLOCK: u64 = map::FLASH_BLOCK;
/// Most bytes that are erased at an access of the guest: as many as are put in place or scrubbed at a time on a shared core.
pub const PIECE: u64 = 32 << 10;

/// Bytes of the buffers of both parts together: half of what QEMU's has, so that to program all of it takes no longer than anything
/// else that is done for a guest at once. Drivers read the size from the query table.
pub const BUFFER: usize = 0x800;
/// Shows the cells.
pub const READ_ARRAY: u8 = 0xff;
/// Shows the status register.
pub const READ_STATUS: u8 = 0x70;
/// Shows manufacturer and device.
pub const READ_ID: u8 = 0x90;
/// Shows the query table.
pub const QUERY: u8 = 0x98;
/// Clears the errors of the status register, and shows the cells.
pub const CLEAR_STATUS: u8 = 0x50;
/// Erases the block of the [`CONFIRM`] that follows.
pub const ERASE: u8 = 0x20;
/// Programs what the store after it has.
pub const PROGRAM: u8 = 0x40;
/// The same.
pub const PROGRAM_OTHER: u8 = 0x10;
/// Programs through the buffer: a count, so many stores and one more, a [`CONFIRM`].
pub const BUFFERED: u8 = 0xe8;
/// Locks or unlocks a block: the store after it says what. No block is ever locked here.
pub const LOCK: u8 = 0x60;
/// Confirms; after [`LOCK`] it unlocks.
pub const CONFIRM: u8 = 0xd0;
/// After [`LOCK`]: locks.
pub const LOCK_BLOCK: u8 = 0x01;
/// After [`LOCK`]: locks until the power goes.
pub const LOCK_DOWN: u8 = 0x2f;

/// SR.7: ready for a command.
pub const READY: u8 = 1 << 7;
/// SR.5: an erasure failed; with [`PROGRAM_ERROR`]: a sequence of commands was none.
pub const ERASE_ERROR: u8 = 1 << 5;
/// SR.4: programming failed.
pub const PROGRAM_ERROR: u8 = 1 << 4;
/// A sequence of commands was none.
pub const SEQUENCE_ERROR: u8 = ERASE_ERROR | PROGRAM_ERROR;

/// Manufacturer: Intel.
pub const MANUFACTURER: u8 = 0x89;
/// Device, as QEMU's virt has it.
pub const DEVICE: u8 = 0x18;
