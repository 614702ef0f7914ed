//! The machine room of Portcullis: VMs, vCPUs, stage 2, virtual interrupts, services and device emulation.
#![cfg_attr(not(test), no_std)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

pub mod cpu;
pub mod devices;
pub mod entropy;
pub mod life;
pub mod machine;
pub mod manage;
pub mod memory;
pub mod run;
pub mod schedule;
pub mod serial;
pub mod service;
pub mod trap;
pub mod vm;
