//! The emulated UART of a VM: an Arm PrimeCell PL011 (Arm DDI 0183, revision r1p5).
//!
//! The state machine only: the caller decodes the access, moves what [`Pl011::transmitted`] yields to the console, feeds
//! typed bytes to [`Pl011::receive`] and drives the VM's interrupt line with [`Pl011::irq_level`] after each of them.
//! FIFOs lie inside the structure; no call allocates, waits or panics, and the work per call is constant.

mod device;
mod fields;
mod fifo;
mod pl011;
pub mod registers;
#[cfg(test)]
mod tests;

pub use pl011::Pl011;
