//! A network of VMs: frames as their drivers send and get them.

mod bed;
mod control;
mod delivery;
// Miri ends the test where the drivers hold a box and a pointer into it.
#[cfg(not(miri))]
mod drivers;
mod header;
#[cfg(not(miri))]
#[path = "../../../virtio/tests/peer/mod.rs"]
mod peer;
mod straight;
mod switch;
