//! Giving a request back.

use portcullis_virtio::{Chain, Fault, Queue, Shared};

use super::request::Status;

/// Writes the status of the request in `chain`, whose last byte it is, and gives the chain back, into whose data `written` bytes
/// were written.
pub(super) fn give_back<M: Shared>(
    queue: &mut Queue,
    memory: &mut M,
    chain: &Chain,
    written: u32,
    status: Status,
) -> Result<(), Fault> {
    if let Some(last) = chain.last() {
        memory.copy_out(last, &[status as u8])?;
    }
    queue.put(memory, chain.head(), written.saturating_add(1))
}
