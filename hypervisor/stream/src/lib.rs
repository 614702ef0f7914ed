//! A saved VM as a stream of bytes.
//!
//! - A [`Writer`] is pulled: it fills a buffer of any size, and goes on where it was with the next one. What it writes comes from a
//!   [`Save`].
//! - A [`Reader`] is pushed: it takes bytes, cut anywhere. What it has read goes to a [`Restore`], and whatever is wrong is an
//!   [`Error`] that names the section. The VM's memory is behind the header, which a [`Restore`] has accepted by then.
//! - [`needs`] compares what a header says with what a created VM of another machine has, and names the first thing that is
//!   lacking.
//!
//! `docs/moving.md` has the format. Nothing here allocates, waits, or knows a VM. Memory is copied by who implements the two
//! traits, in the same pass that takes it into the checksum.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod area;
mod buffer;
mod counts;
mod error;
pub mod images;
mod kind;
pub mod layout;
pub mod needs;
mod reader;
mod restore;
mod run;
mod section;
mod shape;
mod sum;
mod writer;

pub use area::Area;
pub use counts::Counts;
pub use error::{Error, Fault};
pub use kind::{Each, Kind, MAX_BODY};
pub use reader::Reader;
pub use restore::Restore;
pub use run::Alike;
pub use section::Section;
pub use sum::Sum;
pub use writer::{STATE, Save, Writer};

/// How far a [`Writer`] or a [`Reader`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The buffer is full, or there are no bytes left in it.
    Buffer,
    /// As much was done as is done at a time: it is to be called again.
    More,
    /// The stream has ended.
    Done,
}
