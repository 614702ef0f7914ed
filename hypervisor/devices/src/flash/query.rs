//! What the parts say of themselves: the query table (JESD68.01; the primary vendor-specific part as Intel has it).

use super::commands::{BANK, BLOCK, BUFFER, DEVICE, MANUFACTURER};

/// Bytes of one part, as a power of two.
const SIZE: u32 = (BANK / 2).ilog2();
/// Blocks of one part, less one.
const LAST_BLOCK: u64 = BANK / BLOCK - 1;
/// Bytes of one block of a part, in units of 256.
const BLOCK_UNITS: u64 = BLOCK / 2 / 256;
/// Bytes of one part's buffer, as a power of two.
const BUFFER_SIZE: u32 = (BUFFER as u64 / 2).ilog2();
/// What one part shows at word `word` as its query table.
pub const fn query(word: u64) -> u8 {
    match word {
        0x10 => b'Q',
        0x11 => b'R',
        0x12 => b'Y',
        // Command set 1, whose own table is at 0x31; no other command set.
        0x13 => 0x01,
        0x15 => 0x31,
        // Supply voltage: 4.5 V to 5.5 V.
        0x1b => 0x45,
        0x1c => 0x55,
        // Typical times: 2^7 us for a word, 2^7 us for a buffer, 2^10 ms for a block.
        0x1f | 0x20 => 0x07,
        0x21 => 0x0a,
        // The longest ones, as powers of two of these.
        0x23..=0x25 => 0x04,
        0x27 => SIZE as u8,
        // x8 and x16.
        0x28 => 0x02,
        0x2a => BUFFER_SIZE as u8,
        // One region of blocks, all of a size.
        0x2c => 0x01,
        0x2d => LAST_BLOCK as u8,
        0x2e => (LAST_BLOCK >> 8) as u8,
        0x2f => BLOCK_UNITS as u8,
        0x30 => (BLOCK_UNITS >> 8) as u8,
        // Command set 1's own table: version 1.0, no optional feature, one field for protection registers, of which none is.
        0x31 => b'P',
        0x32 => b'R',
        0x33 => b'I',
        0x34 => b'1',
        0x35 => b'0',
        0x3f => 0x01,
        _ => 0,
    }
}

/// What one part shows at word `word` as its identification; no block of it is locked.
pub const fn identification(word: u64) -> u8 {
    match word & 0xff {
        0 => MANUFACTURER,
        1 => DEVICE,
        _ => 0,
    }
}
