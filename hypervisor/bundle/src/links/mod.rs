//! What connects VMs, in the bundle.

mod disk;
mod error;
mod network;
mod serial;
mod shared_memory;
pub mod transport;
mod wire;

pub use self::disk::{Disk, Export, Source};
pub use self::error::LinkError;
pub use self::network::{Network, NetworkPort};
pub use self::serial::Serial;
pub use self::shared_memory::{STATE_PAGE, SharedMemory, Sharer, shown};
pub use self::wire::{Wire, WireEnd};

use portcullis_abi::bundle;
use portcullis_tree::Node;

use super::property::utf8;
use super::vm::is_name;

/// The name of a link, by its node.
fn name<'a>(node: &Node<'a>) -> Result<&'a str, LinkError> {
    Some(utf8(node.name)).filter(|name| is_name(name)).ok_or(LinkError::Name)
}

/// The cells of a value, of which there are exactly `N`.
fn cells<const N: usize>(name: &'static str, value: &[u8]) -> Result<[u32; N], LinkError> {
    match value.as_chunks() {
        (words, []) if words.len() == N => {
            let mut cells = [0; N];
            cells.iter_mut().zip(words).for_each(|(cell, word)| *cell = u32::from_be_bytes(*word));
            Ok(cells)
        }
        _ => Err(LinkError::Malformed(name)),
    }
}

/// Kinds of links.
pub(super) const KINDS: usize = 5;

/// Whether the folder of links is one that this crate knows, and how its links are called in messages.
pub(super) fn kind(folder: &str) -> Option<&'static str> {
    match folder {
        bundle::WIRES => Some("wire"),
        bundle::SHARED_MEMORY => Some("shared memory"),
        bundle::NETWORKS => Some("network"),
        bundle::SERIALS => Some("serial"),
        bundle::DISKS => Some("disk"),
        _ => None,
    }
}
