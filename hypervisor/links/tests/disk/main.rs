//! Disks: requests as drivers make them, in memory and served over NBD.

mod bed;
mod drivers;
mod handshake;
mod local;
#[path = "../../../virtio/tests/peer/mod.rs"]
mod peer;
mod served;
mod server;
