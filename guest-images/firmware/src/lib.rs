//! A firmware for tests of the hypervisor above it: everything of it that needs no hardware.
//!
//! It runs at EL3 of QEMU's `virt` machine, enters the hypervisor as TF-A would, and answers its SMCs: honestly, or
//! wrongly in one of the ways of [`mode::Mode`]. When the machine is switched off it says which calls were made.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]

pub mod answer;
pub mod cores;
pub mod echo;
pub mod garbage;
pub mod mode;
pub mod place;
pub mod ptp;
pub mod random;
pub mod reply;
pub mod tally;
pub mod workarounds;
