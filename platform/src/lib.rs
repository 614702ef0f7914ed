//! Boards and drivers of Portcullis.
#![cfg_attr(not(test), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod bcm2835_aux_uart;
pub mod bcm2835_pm;
pub mod bcm2835_timer;
pub mod boards;
pub mod devices;
pub mod edge;
pub mod facts;
pub mod firmware;
mod gicd;
pub mod gicv2;
pub mod gicv3;
pub mod passthrough;
pub mod pl011;
pub mod pl031;
pub mod psci;
pub mod rate;
pub mod rndrrs;
pub mod rng200;
pub mod spin_table;
pub mod support;
