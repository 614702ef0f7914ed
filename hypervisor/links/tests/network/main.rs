//! A network of VMs: frames as their drivers send and get them.

mod bed;
mod control;
mod delivery;
mod drivers;
mod header;
#[path = "../../../virtio/tests/peer/mod.rs"]
mod peer;
mod switch;
