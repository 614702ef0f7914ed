//! The only home of assembly in Portcullis: exception vectors, the way into and out of a guest, system registers.
//!
//! Everything that executes an instruction which Rust has no word for lies here, behind functions that say what they do.
//! On a host the same functions work on a core that is made up ([`fake`]), so that the crates above can be tested there.
#![cfg_attr(target_os = "none", no_std)]

pub mod account;
pub mod barrier;
pub mod cache;
pub mod cache_shape;
pub mod checksum;
pub mod context;
pub mod cpu;
pub mod debug;
pub mod early_map;
pub mod el1;
pub mod el2;
mod extensions;
#[cfg(not(target_os = "none"))]
pub mod fake;
pub mod gicv2;
pub mod gicv3;
pub mod hardening;
pub mod id;
pub mod memory;
pub mod optional;
pub mod paging;

pub mod probe;
pub mod random;
pub mod registers;
mod saved;
mod saved_calls;
pub mod shared;
pub mod simd;
pub mod smc;
pub mod spin_table;
pub mod stepping;
pub mod sysreg;
pub mod system_error;
pub mod timer;
pub mod translate;
pub mod vectors;
pub mod world;
