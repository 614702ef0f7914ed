//! Serial ports: what drivers are told, and bytes between them.

mod bed;
mod console;
mod direction;
// Miri ends the test where the drivers hold a box and a pointer into it.
#[cfg(not(miri))]
mod drivers;
mod faults;
mod pair;
#[cfg(not(miri))]
#[path = "../../../virtio/tests/peer/mod.rs"]
mod peer;
mod server_end;
