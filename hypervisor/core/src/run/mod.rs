//! Running vCPUs: how one comes onto its core, goes on, gives the core to another, and what is done on a core in between.

pub mod enter;
pub mod keyboard;
pub mod resume;
pub mod shared_core;
