//! The device's side of virtio (version 1.2): split virtqueues over a guest's memory, and the transport over MMIO.
//!
//! - A [`Queue`] takes chains of buffers from a driver and gives them back. Every index, descriptor and indirect entry is
//!   copied once, and judged as the copy, a [`Chain`]: what the driver writes meanwhile changes nothing of it.
//! - Guest memory is reached through [`Shared`], by copies. A [`Cursor`] goes through the buffers of a chain.
//! - A [`mmio::Transport`] is the registers of a device: accesses go in, and an [`mmio::Effect`] comes out.
//! - A driver that goes against the specification is a [`Fault`], which says what it did. Its device needs a reset then, and nobody
//!   else notices.
//! - The work for one chain is bounded by [`MAX_CHAIN`]; a [`Budget`] bounds how much is done in a row.
//!
//! Nothing here allocates, waits, holds a lock or knows a VM.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

mod budget;
mod chain;
mod cursor;
mod descriptor;
#[cfg(not(target_os = "none"))]
pub mod fake;
mod fault;
pub mod features;
mod heads;
mod layout;
mod memory;
pub mod mmio;
mod queue;
mod saved;
mod segment;
mod walk;

pub use budget::Budget;
pub use chain::{Chain, MAX_CHAIN};
pub use cursor::Cursor;
pub use fault::{Fault, Part};
pub use features::Features;
pub use layout::{Layout, MAX_SIZE};
pub use memory::{Shared, copy_pair, copy_three};
pub use queue::{Mark, Only, Queue};
pub use segment::Segment;
