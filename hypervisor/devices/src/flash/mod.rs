//! The emulated flash of a VM: the two banks of QEMU's virt machine, 64 MiB each.
//!
//! The first bank is a [`Rom`]. The second one is a [`Cfi`] bank: two parts of 16 bits side by side, which take the commands
//! of Intel's (command set 1 of JEP137; JESD68.01 for the query), with the numbers that QEMU's `pflash_cfi01` has on virt.
//!
//! The state machine only. What the cells hold belongs to the caller ([`Cells`]): while the bank [shows them](Cfi::is_array),
//! loads need not come here at all.

mod cells;
mod cfi;
pub mod commands;
mod device;
mod query;
mod rom;
#[cfg(test)]
mod tests;

pub use cells::Cells;
pub use cfi::Cfi;
pub use commands::BUFFER;
pub use rom::Rom;
