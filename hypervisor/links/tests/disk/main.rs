//! Disks: requests as drivers make them, in memory and served over NBD.

mod bed;
mod connected;
mod connection;
// Miri ends the test where the drivers hold a box and a pointer into it.
#[cfg(not(miri))]
mod drivers;
mod handshake;
mod local;
#[cfg(not(miri))]
#[path = "../../../virtio/tests/peer/mod.rs"]
mod peer;
#[cfg(not(miri))]
mod program;
mod served;
mod server;
#[cfg(not(miri))]
mod servers;
