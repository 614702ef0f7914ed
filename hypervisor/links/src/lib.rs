//! What connects VMs: Ethernet between them, disks, serial ports. The devices are virtio's, and this is what each of them decides.
//!
//! A device here is data and functions of it. What it works on is handed in: queues, the guests' memory, the time. It allocates
//! nothing, waits for nothing and never panics, whatever a driver or a peer says. What a driver must not do is a
//! [`Fault`](portcullis_virtio::Fault) of its own device; what a peer does is never one of somebody else's.
//!
//! - [`controls`]: a port at which EL2 answers requests.
//! - [`disk`]: disks that EL2 has in memory, and those that another VM serves.
//! - [`nbd`]: a client of servers that run in a VM.
//! - [`network`]: a switch with a static table, and the ports at it.
//! - [`serial`]: named ports, connected in pairs or with EL2.
#![cfg_attr(target_os = "none", no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

pub mod controls;
pub mod disk;
pub mod nbd;
pub mod network;
pub mod serial;
