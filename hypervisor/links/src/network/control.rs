//! The control queue: used up as soon as it is notified, since drivers wait for it under a lock.

use portcullis_virtio::{Chain, Fault, Queue, Shared};
use virtio_spec::net::{Ctrl, ctrl::Announce};

use super::port::Port;

/// VIRTIO_NET_OK.
const OK: u8 = 0;
/// VIRTIO_NET_ERR.
const ERR: u8 = 1;
/// Class and command.
const LEAST: u32 = 2;
/// Descriptors of a command, its answer among them. All commands of a full queue are used up at once, and that takes no longer than
/// another piece of work.
const MOST: usize = 8;

/// Takes the next command and answers it (virtio 1.2, section 5.1.6.5). The one that is known acknowledges an announcement; what
/// others ask for was not offered. False: there is none.
///
/// # Errors
///
/// [`Fault`].
pub fn serve<M: Shared>(port: &mut Port, queue: &mut Queue, memory: &mut M, chain: &mut Chain) -> Result<bool, Fault> {
    if !queue.take_within(memory, chain, MOST)? {
        return Ok(false);
    }
    if chain.readable() < LEAST {
        return Err(Fault::Short { what: "a command", length: chain.readable(), least: LEAST });
    }
    if chain.writable() == 0 {
        return Err(Fault::Narrow { what: "a command's answer", length: 0, least: 1 });
    }
    let mut command = [0; LEAST as usize];
    chain.reader().read(memory, &mut command)?;
    let answer = if command == [Ctrl::Announce as u8, Announce::Ack as u8] {
        port.acknowledge();
        OK
    } else {
        ERR
    };
    chain.writer().write(memory, &[answer])?;
    queue.put(memory, chain.head(), 1)?;
    Ok(true)
}
