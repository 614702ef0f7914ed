//! Running vCPUs: how one comes onto its core, goes on, gives the core to another, and what is done on a core in between.

pub mod assign;
pub mod core_kind;
pub mod enter;
pub mod flush;
pub mod follow;
pub mod interrupts;
pub mod keyboard;
mod last_here;
pub mod member;
mod physical_counter;
pub mod resume;
pub mod shared_core;
mod shown_cpu;
pub mod start;
pub mod suspend;
mod switch;
#[cfg(test)]
mod tests;
mod turn;
pub mod worker;
