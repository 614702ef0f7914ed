//! Requests that are under way.

use super::numbers::{NO_HOLE, REQUEST, REQUEST_BYTES};

/// Most requests that are under way at once. What comes behind them waits in its queue.
pub const MAX_REQUESTS: usize = 32;

/// What a server is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Read: data comes with the reply.
    Read,
    /// Write: data goes with the request.
    Write,
    /// Flush what was written.
    Flush,
    /// Discard.
    Trim,
    /// Write zeros; `true`: a hole will do.
    WriteZeroes(bool),
}

impl Command {
    /// Command flags, and type.
    const fn numbers(self) -> (u16, u16) {
        match self {
            Self::Read => (0, 0),
            Self::Write => (0, 1),
            Self::Flush => (0, 3),
            Self::Trim => (0, 4),
            Self::WriteZeroes(hole) => (if hole { 0 } else { NO_HOLE }, 6),
        }
    }
}

/// A request of a disk's driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub command: Command,
    /// From which byte of the export on.
    pub offset: u64,
    /// To how many bytes.
    pub length: u32,
    /// The chain that it is in.
    pub head: u16,
    /// When it has to be done, in counter ticks.
    pub deadline: u64,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is to be sent.
    Waiting,
    /// So many bytes of it, data among them, were sent.
    Sending(u64),
    /// The server has it.
    Sent,
    /// The server has it, and nobody waits for what it says.
    Abandoned,
    /// It is a flush of writes that may be lost: it is to be answered by an error.
    Doomed,
}

/// A request and how far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) request: Request,
    pub(super) cookie: u64,
    pub(super) stage: Stage,
    /// Bytes of it that are done, and bytes of the part that is under way: a server may take less at once than a driver asks for.
    pub(super) base: u32,
    pub(super) part: u32,
    /// Writes that were done when it was sent, which are those that a flush covers.
    pub(super) covers: u64,
}

impl Slot {
    pub(super) const fn new(request: Request, stage: Stage) -> Self {
        Self { request, cookie: 0, stage, base: 0, part: 0, covers: 0 }
    }

    /// The bytes of the part that is under way without its data.
    pub(super) fn header(&self) -> [u8; REQUEST_BYTES] {
        let (flags, kind) = self.request.command.numbers();
        let first = u64::from(REQUEST) << 32 | u64::from(flags) << 16 | u64::from(kind);
        let offset = self.request.offset.wrapping_add(u64::from(self.base));
        let words = [first, self.cookie, offset, u64::from(self.part) << 32].map(u64::to_be_bytes);
        // They are that and four bytes of nothing.
        words.as_flattened().first_chunk().copied().unwrap_or([0; REQUEST_BYTES])
    }

    /// Bytes that go out for the part that is under way.
    pub(super) fn bytes_out(&self) -> u64 {
        let data = if self.request.command == Command::Write { self.part } else { 0 };
        REQUEST_BYTES as u64 + u64::from(data)
    }
}
