//! Numbers of the protocol. All fields are big-endian.

/// What a server begins with: "NBDMAGIC".
pub const GREETING: u64 = 0x4e42_444d_4147_4943;
/// What a newstyle server goes on with, and an option begins with: "IHAVEOPT".
pub const NEWSTYLE: u64 = 0x4948_4156_454f_5054;
/// What an oldstyle server goes on with.
pub const OLDSTYLE: u64 = 0x0000_4202_8186_1253;
/// What a reply to an option begins with.
pub const OPTION_REPLY: u64 = 0x0003_e889_0455_65a9;
/// What a request begins with.
pub const REQUEST: u32 = 0x2560_9513;
/// What a simple reply begins with.
pub const REPLY: u32 = 0x6744_6698;

/// Handshake flags of both: the server knows unknown options, and the client does.
pub const FIXED_NEWSTYLE: u16 = 1 << 0;
/// Handshake flags of both: no zeros behind the answer to [`OPTION_EXPORT_NAME`].
pub const NO_ZEROES: u16 = 1 << 1;

/// Option: choose an export, and begin. Has no reply but what it asks for.
pub const OPTION_EXPORT_NAME: u32 = 1;
/// Option: choose an export, and begin when the server agrees.
pub const OPTION_GO: u32 = 7;

/// Reply to an option: done.
pub const REPLY_ACK: u32 = 1;
/// Reply to an option: something about the export.
pub const REPLY_INFO: u32 = 3;
/// Reply to an option: an error, if this bit is set.
pub const REPLY_ERROR: u32 = 1 << 31;
/// Reply to an option: it is not known.
pub const REPLY_UNSUPPORTED: u32 = REPLY_ERROR | 1;

/// Information: size and flags.
pub const INFO_EXPORT: u16 = 0;
/// Information: sizes of blocks.
pub const INFO_BLOCK_SIZE: u16 = 3;

/// Transmission flag: it cannot be written.
pub const READ_ONLY: u16 = 1 << 1;
/// Transmission flag: it can be flushed.
pub const SEND_FLUSH: u16 = 1 << 2;
/// Transmission flag: blocks can be discarded.
pub const SEND_TRIM: u16 = 1 << 5;
/// Transmission flag: blocks can be zeroed.
pub const SEND_WRITE_ZEROES: u16 = 1 << 6;

/// Command flag: zeros are to be kept, not a hole.
pub const NO_HOLE: u16 = 1 << 1;

/// Error of a reply: the server does not know the command.
pub const NOT_SUPPORTED: u32 = 95;

/// Bytes of a request without its data.
pub const REQUEST_BYTES: usize = 28;
/// Bytes of a simple reply without its data.
pub const REPLY_BYTES: usize = 16;
/// Longest request, where a server says nothing of it.
pub const LONGEST: u32 = 32 << 20;
