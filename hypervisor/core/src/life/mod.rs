//! The life of a VM: how it is made, started, loaded, paused, stopped, and made anew.

pub mod at_port;
pub mod baseline;
pub mod bite;
pub mod cores;
pub mod create;
pub mod devices;
pub mod flash;
pub mod generation;
pub mod load;
pub mod parking;
pub mod refusal;
pub mod requests;
pub mod restore;
pub mod retired;
pub mod running;
pub mod save;
pub mod scrub;
pub mod shape;
pub mod shared_memory;
pub mod shutdown;
#[cfg(test)]
pub(crate) mod tests;
pub mod transfer;
pub mod wires;
