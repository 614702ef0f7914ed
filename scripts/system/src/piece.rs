//! RAM that is taken for something else than a VM.

use portcullis_abi::bundle::MEMORY_UNIT;

use super::diagnostic::Span;

/// A piece of RAM that is taken before any VM has its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where the manifest asks for it.
    pub span: Span,
    /// What it is for.
    pub what: String,
    /// Bytes of it.
    pub size: u64,
}

impl Piece {
    /// A piece of `size` bytes at least; it is taken in whole blocks.
    pub fn new(span: Span, what: String, size: u64) -> Self {
        Self { span, what, size: size.checked_next_multiple_of(MEMORY_UNIT).unwrap_or(u64::MAX) }
    }
}
