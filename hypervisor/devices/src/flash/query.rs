//! What the parts say of themselves: the query table (JESD68.01; the primary vendor-specific part as Intel has it).

use super::cfi::BUFFER;
use super::commands::{BANK, BLOCK, DEVICE, MANUFACTURER};

/// Bytes of one part, as a power of two.
const SIZE: u32 = (BANK / 2).ilog2();
/// Blocks of one part, less one.
const LAST_BLOCK: u64 = BANK / BLOCK - 1;
/// Bytes of one block of a part, in units of 256.
const BLOCK_UNITS: u64 = BLOCK / 2 / 256;
/// Bytes of one part's buffer, as a power of two.
const BUFFER_SIZE: u32 = (BUFFER as u64 / 2).ilog2();
/// Word of the table at which it begins.
const START: u64 = 0x10;
/// The words from [`START`] on, of which the parts have a byte each.
const TABLE: [u8; 0x30] = {
    let mut table = [0; 0x30];
    let parts: [(usize, &[u8]); 9] = [
        // "QRY", then: command set 1, whose own table is at 0x31; no other command set.
        (0x10, b"QRY\x01\x00\x31"),
        // Supply voltage from 4.5 V to 5.5 V.
        (0x1b, &[0x45, 0x55]),
        // Typical times: 2^7 us for a word, 2^7 us for a buffer, 2^10 ms for a block; then the longest ones, as powers of two
        // of these.
        (0x1f, &[0x07, 0x07, 0x0a, 0x00, 0x04, 0x04, 0x04, 0x00]),
        // Size; x8 and x16; size of the buffer; one region of blocks.
        (0x27, &[SIZE as u8, 0x02, 0x00, BUFFER_SIZE as u8, 0x00, 0x01]),
        (0x2d, &[LAST_BLOCK as u8, (LAST_BLOCK >> 8) as u8]),
        (0x2f, &[BLOCK_UNITS as u8, (BLOCK_UNITS >> 8) as u8]),
        // Command set 1's own: version 1.0, no optional feature.
        (0x31, b"PRI10"),
        (0x36, &[0; 8]),
        // One protection register field, of no bytes.
        (0x3f, &[0x01]),
    ];
    let mut part = 0;
    while part < parts.len() {
        let (at, bytes) = parts[part];
        let mut byte = 0;
        while byte < bytes.len() {
            table[at - START as usize + byte] = bytes[byte];
            byte += 1;
        }
        part += 1;
    }
    table
};

/// What one part shows at word `word` as its query table.
pub fn query(word: u64) -> u8 {
    let index = word.checked_sub(START).and_then(|index| usize::try_from(index).ok());
    index.and_then(|index| TABLE.get(index)).copied().unwrap_or(0)
}

/// What one part shows at word `word` as its identification; no block of it is locked.
pub const fn identification(word: u64) -> u8 {
    match word & 0xff {
        0 => MANUFACTURER,
        1 => DEVICE,
        _ => 0,
    }
}
