//! The emulated real-time clock of a VM: an Arm PrimeCell PL031 (Arm DDI 0224, revision r1p3).
//!
//! The state machine only: each access is given the time of day, in seconds since 1970 modulo 2^32; the caller has the clock
//! look ([`Pl031::look`]) when it is due ([`Pl031::due`]), and drives the VM's interrupt line.

mod device;
mod pl031;
pub mod registers;
#[cfg(test)]
mod tests;

pub use pl031::Pl031;
