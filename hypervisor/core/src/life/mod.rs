//! The life of a VM: how it is made, started, loaded, paused, stopped, and made anew.

pub mod devices;
pub mod load;
pub mod requests;
pub mod scrub;
pub mod shutdown;
