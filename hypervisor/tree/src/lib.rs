//! Flattened device trees (Devicetree Specification 0.4, chapter 5): a reader and a writer that do no more than the boot
//! path needs, in a small part of the instructions that general crates take. The tests hold them against such crates.
//!
//! [`Tree::new`] checks the whole blob in one pass; what is read after that cannot be out of place. Nothing is copied: nodes,
//! names and values are slices of the blob. Nothing panics, whatever the bytes are. [`Tree::visit`] shows a reader that wants
//! all of it everything in that same pass.
//!
//! # Example
//!
//! ```
//! use portcullis_tree::{Tree, Writer, be32};
//!
//! let mut writer = Writer::new(64);
//! writer.begin("");
//! writer.begin("memory@40000000");
//! writer.string("device_type", "memory");
//! writer.numbers("reg", &[0x4000_0000, 0x1000_0000]);
//! writer.end();
//! writer.end();
//! let blob = writer.finish();
//!
//! let tree = Tree::new(&blob)?;
//! let memory = tree.root().children().find(|node| node.base_name() == b"memory");
//! let reg = memory.and_then(|memory| memory.property(b"reg")).unwrap_or_default();
//! assert_eq!(be32(reg, 4), Some(0x4000_0000));
//! # Ok::<(), portcullis_tree::TreeError>(())
//! ```
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::indexing_slicing)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing))]

extern crate alloc;

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use self::reader::{Node, Property, Tree, TreeError, Visitor, be32};
pub use self::writer::Writer;

/// First word of a blob.
pub const MAGIC: u32 = 0xd00d_feed;
/// Bytes of a blob's header.
pub const HEADER_SIZE: usize = 40;
/// The version of the format that is written, and that a blob to be read is compatible with.
const VERSION: u32 = 17;
/// The oldest version that a reader of what is written may know.
const LAST_COMPATIBLE_VERSION: u32 = 16;

const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;
const END: u32 = 9;
