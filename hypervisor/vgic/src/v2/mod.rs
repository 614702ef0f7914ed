//! What a guest touches of a GICv2 (IHI 0048), and SGIs that are pending for each of their senders.

mod by_sender;
mod distributor;
mod sgi;
pub mod sources;
