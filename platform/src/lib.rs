//! Boards and drivers of Portcullis.
#![cfg_attr(not(test), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod assemble;
pub mod boards;
pub mod driver;
pub mod drivers;
pub mod facts;
pub mod firmware;
pub mod passthrough;
pub mod support;
