//! What stands where in a stream: plain structures, little-endian.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The first bytes of every stream.
pub const MAGIC: [u8; 8] = *b"PORTC-VM";
/// The version of the format that is written and understood.
pub const VERSION: u32 = 1;
/// Bytes of a page: memory is looked at page by page.
pub const PAGE: u64 = 4096;
/// Most bytes of memory in one section.
pub const RUN: u64 = 8 * PAGE;

/// What a stream begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Preamble {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// [`VERSION`].
    pub version: u32,
    /// Zero.
    pub reserved: u32,
}

/// What a section begins with.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Head {
    /// Number of its [`Kind`](crate::Kind).
    pub kind: u32,
    /// The vCPU that it is about, counted from 0; 0 if it is about none.
    pub index: u32,
    /// Bytes of its body, without head and tail.
    pub length: u64,
}

/// What a section ends with.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Tail {
    /// CRC-32C of head and body.
    pub sum: u32,
    /// Zero.
    pub reserved: u32,
}

/// What the body of a section of memory begins with, or of a section of zeros consists of.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct Run {
    /// Bytes from the beginning of the VM's RAM.
    pub offset: u64,
    /// Bytes, in whole pages.
    pub length: u64,
}

/// The body of the last section.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, Immutable, IntoBytes, KnownLayout)]
pub struct End {
    /// Bytes of the stream in front of this section.
    pub bytes: u64,
    /// Sections in front of this one.
    pub sections: u64,
}
