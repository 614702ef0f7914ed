//! The transport over MMIO: registers in, effects out (virtio 1.2, section 4.2).

mod queues;
pub mod registers;
mod saved;
mod transport;

pub use transport::{Effect, Identity, Transport};
