//! The machine room of Portcullis: VMs, vCPUs, stage 2, virtual interrupts, services and device emulation.
#![cfg_attr(not(test), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod cpu;
pub mod deadlines;
pub mod devices;
pub mod entropy;
mod keyboard;
pub mod machine;
pub mod manage;
pub mod memory;
pub mod processor;
pub mod schedule;
pub mod service;
pub mod shutdown;
pub mod terminal;
pub mod trap;
pub mod vm;
