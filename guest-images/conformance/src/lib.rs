//! Everything of the conformance guest that needs no hardware: its command line, and what it may expect for it.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod el3;
pub mod mode;
pub mod model;
pub mod profile;
pub mod ranges;
