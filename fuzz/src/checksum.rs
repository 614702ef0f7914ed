//! CRC-32C (RFC 3720, appendix B.4), by another implementation than that of what is tested.

/// What it is made of.
pub const CASTAGNOLI: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISCSI);

/// Goes on with a checksum that has come to `before`, as `portcullis_stream::Sum` asks for.
pub fn sum(before: u32, bytes: &[u8]) -> u32 {
    let mut digest = CASTAGNOLI.digest_with_initial(before.reverse_bits());
    digest.update(bytes);
    !digest.finalize()
}
