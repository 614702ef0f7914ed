//! The checksum of a section: CRC-32C (RFC 3720, appendix B.4), for which CPUs have instructions.

/// Who works out checksums.
pub trait Sum {
    /// Takes `bytes` into a checksum in the making, which begins as `SEED` and ends with `finish`.
    fn sum(sum: u32, bytes: &[u8]) -> u32;
}

/// A checksum of nothing yet.
pub const SEED: u32 = u32::MAX;

/// Returns what is written of a checksum that all bytes were taken into.
pub const fn finish(sum: u32) -> u32 {
    !sum
}
