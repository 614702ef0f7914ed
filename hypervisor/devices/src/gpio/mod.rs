//! The emulated GPIO controller of a VM that has wires: an Arm PrimeCell PL061 (Arm DDI 0190, revision r1p0).
//!
//! The state machine only: what is at the other end of a line is told ([`Pl061::set_inputs`]) and asked for
//! ([`Pl061::outputs`]). Which lines are outputs is the machine's wiring, as which ones are connected to what is a board's.

mod device;
mod pl061;
pub mod registers;
mod saved;
#[cfg(test)]
mod tests;

pub use pl061::Pl061;
