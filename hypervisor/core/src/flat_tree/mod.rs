//! Flattened device trees (Devicetree Specification 0.4, chapter 5): a reader and a writer that do no more than the boot
//! path needs, in a small part of the instructions that general crates take. The tests hold them against such crates.

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
