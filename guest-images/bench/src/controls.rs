//! What is measured of the control VM at its ports: REGISTER_GET of a firmware register of the other VM, and the event that says
//! that the other one is paused.

use portcullis_abi::firmware::STD;
use portcullis_abi::manage::REGISTER_GET;

/// The number of the test of a request.
pub const TEST: u64 = 0;
/// That of an event.
pub const EVENT: u64 = 1;
/// The request: four little-endian words, of which the last is nothing.
pub const REQUEST: [u8; 32] = request([REGISTER_GET as u64, 1, STD, 0]);

const fn request(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = (words[at / 8] >> (at % 8 * 8)) as u8;
        at += 1;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_four_little_endian_words() {
        assert_eq!(REQUEST[..16], [u64::from(REGISTER_GET).to_le_bytes(), 1_u64.to_le_bytes()].concat());
        assert_eq!(REQUEST[16..], [STD.to_le_bytes(), [0; 8]].concat());
    }
}
