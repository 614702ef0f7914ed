//! Results that no firmware should return.

/// Values that callers may stumble over: codes, versions, and the ends of the ranges of numbers.
const VALUES: [u64; 24] = [
    0,
    1,
    -1i64 as u64,
    -2i64 as u64,
    -3i64 as u64,
    -4i64 as u64,
    i32::MIN as u32 as u64,
    i32::MIN as u64,
    i32::MAX as u64,
    u32::MAX as u64,
    u32::MAX as u64 - 1,
    u32::MAX as u64 + 1,
    i64::MAX as u64,
    i64::MIN as u64,
    2,
    3,
    0xffff,
    0x1_0000,
    0x1_0001,
    0x1_0002,
    0x1_0005,
    0x2_0000,
    0x7fff_0000,
    0x5555_5555_0001_0000,
];
/// Pseudo-random values between two rounds of the list.
const RANDOM: u64 = 8;

/// x0 to x3 for call `call`, counted from 0, where the list begins at `start`. x0 goes through the whole list in order;
/// the others are further on in it.
pub fn values(start: u32, call: u64) -> [u64; 4] {
    [0, 7, 13, 22].map(|ahead| value(u64::from(start).wrapping_add(call).wrapping_add(ahead)))
}

fn value(place: u64) -> u64 {
    let round = VALUES.len() as u64 + RANDOM;
    match VALUES.get((place % round) as usize) {
        Some(value) => *value,
        None => mix(place),
    }
}

/// Spreads a number over 64 bits: the output function of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014).
pub(crate) const fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ z >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_in_turn_and_chance_has_its_share() {
        let round = VALUES.len() + RANDOM as usize;
        let first: Vec<u64> = (0..round as u64).map(|call| values(0, call)[0]).collect();
        assert_eq!(first[..VALUES.len()], VALUES);
        let second: Vec<u64> = (0..round as u64).map(|call| values(0, call + round as u64)[0]).collect();
        assert_eq!(second[..VALUES.len()], VALUES);
        assert!(first[VALUES.len()..].iter().all(|value| !second[VALUES.len()..].contains(value)));
    }

    #[test]
    fn the_start_shifts_the_list() {
        assert_eq!(values(5, 0), values(0, 5));
        assert_ne!(values(0, 0), values(1, 0));
        _ = values(u32::MAX, u64::MAX);
    }

    #[test]
    fn the_four_values_are_not_the_same_place_of_the_list() {
        let [x0, x1, x2, x3] = values(0, 0);
        assert!(x0 != x1 && x0 != x2 && x0 != x3 && x1 != x2 && x1 != x3 && x2 != x3);
    }
}
