//! What a client and who moves its bytes say to each other.

use heapless::Vec;

use super::handshake::SAID;
use super::request::Request;

/// What comes next from the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum In {
    /// Nothing: there is no connection.
    None,
    /// So many bytes, for [`hear`](super::Client::hear).
    Bytes(usize),
    /// So many bytes that nobody wants, for [`moved_in`](super::Client::moved_in).
    Skip(u32),
    /// Data of a read request: it belongs at byte `at` of the chain's data, and `left` bytes are yet to come; for
    /// [`moved_in`](super::Client::moved_in).
    Data {
        /// The chain.
        head: u16,
        /// Where it belongs.
        at: u32,
        /// Bytes that are to come.
        left: u32,
    },
}

/// What goes next to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// Nothing.
    None,
    /// These bytes, for [`moved_out`](super::Client::moved_out).
    Bytes(Vec<u8, SAID>),
    /// Data of a write request: from byte `at` of the chain's data on, of which `left` bytes are to go; for
    /// [`moved_out`](super::Client::moved_out).
    Data {
        /// The chain.
        head: u16,
        /// From where on.
        at: u32,
        /// Bytes that are to go.
        left: u32,
    },
}

/// A request that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was done.
    Ok(Request),
    /// The server could not do it, or did not within its time.
    Error(Request),
    /// The server does not know the command.
    Unsupported(Request),
}

impl Done {
    /// The request, however it went.
    pub const fn request(&self) -> &Request {
        match self {
            Self::Ok(request) | Self::Error(request) | Self::Unsupported(request) => request,
        }
    }
}
