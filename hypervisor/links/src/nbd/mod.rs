//! A client of the Network Block Device protocol, by the protocol's description (NetworkBlockDevice, doc/proto.md).
//!
//! Fixed newstyle, NBD_OPT_GO and where that is unknown NBD_OPT_EXPORT_NAME, simple replies, no TLS. The client is a state
//! machine over a stream of bytes each way: it says what comes next ([`Client::next_in`], [`Client::next_out`]) and is told
//! what was moved. Data of requests never passes through it. What a server says is judged; a server that says something else
//! than the protocol has is [`Broken`], which ends the connection and says what came.

mod broken;
mod client;
mod exchange;
mod handshake;
mod numbers;
mod request;

pub use broken::Broken;
pub use client::Client;
pub use exchange::{Done, In, Out};
pub use handshake::{Export, Wanted};
pub use request::{Command, MAX_REQUESTS, Request};
