//! Boards and drivers of Portcullis: what stands below the hypervisor on the machine that it runs on.
//!
//! - What a board has comes from its device tree ([`facts`]); a board's own file adds only what no tree says ([`boards`]).
//! - A driver does what a trait of `portcullis_board` asks for, and knows neither VM nor guest ([`drivers`]).
//! - Nothing above this crate names a board or a chip.
//! - A tree may be wrong, damaged or cut short: what is missing is an error that names node and property, never a guess.
//! - Calls of EL3 are made in [`firmware`], and what it answers is not believed unless it can be true.
//!
//! # Example
//!
//! What QEMU's `virt` machine tells of itself:
//!
//! ```
//! use portcullis_platform::facts::{Facts, Gic};
//!
//! let facts = Facts::from_tree(include_bytes!("../tests/data/qemu-virt-gicv3.dtb")).unwrap();
//! assert_eq!(facts.cores.len(), 2);
//! assert!(matches!(facts.gic, Gic::V3 { .. }));
//!
//! let error = Facts::from_tree(b"no tree").unwrap_err();
//! assert!(error.to_string().starts_with("the device tree is broken: "));
//! ```
#![cfg_attr(not(test), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod assemble;
pub mod boards;
pub mod console;
pub mod driver;
pub mod drivers;
pub mod early_console;
pub mod facts;
pub mod firmware;
pub mod passthrough;
pub mod ram;
pub mod support;
pub mod watchdogs;
