//! What Portcullis does as an EFI application (UEFI Specification 2.10), by the contract that Linux has with its boot loaders: the
//! device tree comes from the configuration table, the bundle as an initial RAM disk does, the memory map is kept to, and boot
//! services are left. What follows is the entry that every other loader uses.
//!
//! Whatever is wrong is found while the firmware is still there to say so: [`start`] then returns a [`Refusal`], and nothing was
//! started.
//!
//! The crate knows no hardware and holds no `unsafe`: the firmware is a [`Firmware`], which the image implements over the real one
//! and the tests by one that plays each failure.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod firmware;
mod memory;
mod path;
mod refusal;
mod search;
mod source;
mod start;
#[cfg(test)]
mod tests;
mod time;
pub mod transfer;

pub use self::firmware::{Firmware, Table};
pub use self::path::Path;
pub use self::refusal::Refusal;
pub use self::source::Source;
pub use self::start::{Handover, start};
pub use self::time::Moment;
